//! What is asked about a file is answered within it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::fuzzing::file_fields(data));
