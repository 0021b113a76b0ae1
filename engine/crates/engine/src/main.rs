//! The command line, signals and the main thread's loop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use daemun_engine::account::Account;
use daemun_engine::control::socket::{self, Wish};
use daemun_engine::engine::Engine;
use daemun_engine::init;
use daemun_engine::observe::events::{line, Events, Level};
use daemun_engine::rights;
use daemun_engine::tls::store::Store;
use daemun_engine::tls::{HandedOver, Kept};
use plan::Plan;
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: daemun-engine --plan FILE [--secrets DIR] [--threads N] [--ready-file PATH] [--temp-dir DIR]
       daemun-engine --control PATH [--plan FILE] [--threads N] [--ready-file PATH] [--log-level L] [--log-file F]
                      [--temp-dir DIR] [--user UID:GID[,GID…]]
       daemun-engine --check FILE
       daemun-engine init [--user UID:GID[,GID…]] [--] COMMAND [WORD…]
       daemun-engine --version";

#[derive(Default)]
struct Options {
    plan: Option<PathBuf>,
    control: Option<PathBuf>,
    check: Option<PathBuf>,
    secrets: Option<PathBuf>,
    ready: Option<PathBuf>,
    threads: Option<usize>,
    level: Option<Level>,
    log_file: Option<String>,
    /// Where temporary files stand.
    temporary: Option<PathBuf>,
    /// Whom to become.
    account: Option<Account>,
}

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "init") {
        return init::main(words).into();
    }
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("daemun-engine: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("daemun-engine: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprint!("{}", line(Level::Error, "failed", std::iter::once(("error", message.into()))));
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let mut value = || inline.clone().or_else(|| words.next()).ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--plan" => options.plan = Some(value()?.into()),
            "--control" => options.control = Some(value()?.into()),
            "--check" => options.check = Some(value()?.into()),
            "--ready-file" => options.ready = Some(value()?.into()),
            "--threads" => {
                let text = value()?;
                options.threads = Some(
                    text.parse()
                        .ok()
                        .filter(|n| *n > 0)
                        .ok_or_else(|| format!("--threads {text}: not a number of threads"))?,
                );
            }
            "--log-level" => {
                let text = value()?;
                options.level =
                    Some(Level::parse(&text).ok_or_else(|| format!("--log-level {text}: info, warning or error"))?);
            }
            "--log-file" => options.log_file = Some(value()?),
            "--temp-dir" => options.temporary = Some(value()?.into()),
            "--user" => {
                let text = value()?;
                options.account =
                    Some(Account::parse(&text).ok_or_else(|| format!("--user {text}: not UID:GID[,GID…] of a user"))?);
            }
            "--secrets" => options.secrets = Some(value()?.into()),
            "--version" => {
                println!("daemun-engine {} (Plan {})", env!("CARGO_PKG_VERSION"), plan::VERSION);
                return Ok(None);
            }
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(None);
            }
            other => return Err(format!("unknown option {other}")),
        }
    }
    if options.plan.is_none() && options.control.is_none() && options.check.is_none() {
        return Err("nothing to do: --plan, --control or --check".to_owned());
    }
    Ok(Some(options))
}

fn read_plan(path: &Path) -> Result<Plan, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Plan::from_json(&bytes).map_err(|e| format!("{}: {e}", path.display()))
}

async fn run(options: &Options) -> Result<(), String> {
    if let Some(path) = &options.check {
        return check(path, options.secrets.as_deref());
    }
    let fail = |e: std::io::Error| e.to_string();
    rights::settle().map_err(fail)?;
    // Before anyone is told that it is ready: a signal that came sooner would end it without grace.
    let mut term = signal(SignalKind::terminate()).map_err(fail)?;
    let mut int = signal(SignalKind::interrupt()).map_err(fail)?;
    let mut hup = signal(SignalKind::hangup()).map_err(fail)?;
    // As whoever started us: nobody else opens a control socket.
    let control = match &options.control {
        Some(path) => Some(socket::bind(path).map_err(|e| format!("{}: {e}", path.display()))?),
        None => None,
    };
    if let Some(account) = &options.account {
        account.assume(rights::PORTS).map_err(|e| format!("cannot become another user: {e}"))?;
    }
    // More descriptors than the usual soft limit: each connection takes one.
    raise_descriptors();
    let events = Events::start(options.level.unwrap_or(Level::Info), options.log_file.as_deref())
        .map_err(|e| format!("{}: {e}", options.log_file.as_deref().unwrap_or("standard error")))?;
    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let temporary = options.temporary.clone().unwrap_or_else(daemun_engine::spill::usual_directory);
    let (engine, answerer, _threads) = Engine::start(threads, events, temporary).map_err(|e| e.to_string())?;
    tokio::spawn(answerer.run());
    let (wishes, mut wished) = mpsc::unbounded_channel();
    if let Some(listener) = control {
        tokio::spawn(socket::serve(listener, Arc::clone(&engine), wishes.clone()));
    }
    if let Some(path) = &options.plan {
        let plan = read_plan(path)?;
        read_secrets(&engine.shared.tls, &plan, options.secrets.as_deref())?;
        engine.apply(&plan).map_err(|e| e.to_string())?;
        say_ready(&engine, options.ready.as_deref())?;
    }
    let mut tidy = tokio::time::interval(Duration::from_secs(1));
    let grace = loop {
        tokio::select! {
            _ = term.recv() => break None,
            _ = int.recv() => break None,
            _ = hup.recv() => reload(&engine, options),
            _ = tidy.tick() => engine.tidy(),
            wish = wished.recv() => match wish {
                Some(Wish::Shutdown(grace)) => break grace.map(Duration::from_millis),
                Some(Wish::Applied) => {
                    if let Err(message) = say_ready(&engine, options.ready.as_deref()) {
                        engine.shared.events.log(Level::Error, "ready_file_failed", &[("error", &message)]);
                    }
                }
                None => {}
            },
        }
    };
    tokio::select! {
        () = engine.stop(grace) => {}
        // A second signal ends it at once.
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    if let Some(path) = &options.control {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

fn reload(engine: &Engine, options: &Options) {
    let Some(path) = &options.plan else { return };
    let result = read_plan(path)
        .and_then(|plan| {
            read_secrets(&engine.shared.tls, &plan, options.secrets.as_deref())?;
            engine.apply(&plan).map_err(|e| e.to_string())
        })
        .and_then(|_| say_ready(engine, options.ready.as_deref()));
    match result {
        Ok(()) => engine.shared.events.log(Level::Info, "reloaded", &[]),
        Err(message) => engine.shared.events.log(Level::Error, "reload_failed", &[("error", &message)]),
    }
}

/// Reads what the Plan names from a folder: `ID.crt` with `ID.key` a certificate, `ID` another secret, a slash in
/// the id written `%2F`. Without a folder nothing is read, and a Plan that needs something is refused by name.
fn read_secrets(store: &Store, plan: &Plan, folder: Option<&Path>) -> Result<(), String> {
    let Some(folder) = folder else { return Ok(()) };
    let read = |name: &str| {
        let path = folder.join(name.replace('/', "%2F"));
        std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
    };
    // A later reading is a later generation.
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let generation = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    for name in plan.certificates.keys() {
        let (chain, key) = (read(&format!("{name}.crt"))?, read(&format!("{name}.key"))?);
        store.put_certificate(name, generation, &chain, &key).map_err(|e| e.to_string())?;
    }
    for name in daemun_engine::tls::store::secrets_of(plan) {
        store.put_secret(name, generation, &read(name)?).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Builds without binding or running.
fn check(path: &Path, secrets: Option<&Path>) -> Result<(), String> {
    use daemun_engine::snapshot::{build, Snapshot};
    let plan = read_plan(path)?;
    let sink = Arc::new(daemun_engine::observe::sink::Sink::new("check".to_owned()));
    let none = std::collections::BTreeMap::new();
    let (store, kept) = (Store::default(), Kept::default());
    read_secrets(&store, &plan, secrets)?;
    let handed = HandedOver { store: &store, kept: &kept };
    build::build(&plan, &Snapshot::empty(), &none, &handed, &|_| Ok(Arc::clone(&sink)))
        .map(drop)
        .map_err(|e| e.to_string())
}

fn say_ready(engine: &Engine, path: Option<&Path>) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    std::fs::write(&new, engine.ready().to_string())
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn raise_descriptors() {
    use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
    let limit = getrlimit(Resource::Nofile);
    // Refused where the limit may not be raised: then it stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
