//! An accepted request head, written anew, is the same request; how it arrives does not matter.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::fuzzing::request_head(data));
