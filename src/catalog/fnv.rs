//! The hash of a catalogue's texts. Compiled into `build.rs` too.

/// FNV-1a, 64 bits: for telling packs apart, not for security.
pub struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds `bytes` as one part.
    pub fn add(&mut self, bytes: &[u8]) {
        // A separator, so that moving a byte from one text to the next changes the hash.
        for &byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
