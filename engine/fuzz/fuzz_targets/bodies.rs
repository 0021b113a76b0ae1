//! A chunked body decodes to the same however it is split, and so does what is encoded from it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::fuzzing::chunked_body(data));
