//! An accepted response head, written anew, is the same response; how it arrives does not matter.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::fuzzing::response_head(data));
