//! The filter's second look: fingerprints of what a sample sees.

/// Fingerprints of 16 bits, four to a bucket.
pub(super) struct PrintTable {
    bits: u32,
    /// All ones holds every fingerprint; a lane of 0 is empty.
    buckets: Box<[u64]>,
}

/// A fingerprint in all four lanes: never 0, never all ones.
#[inline(always)]
fn lanes(print: u64) -> u64 {
    (print & 0xffff).clamp(1, 0xfffe).wrapping_mul(0x0001_0001_0001_0001)
}

impl PrintTable {
    /// A table for so many fingerprints: one or two in a bucket, so that few overflow.
    pub(super) fn new(count: usize) -> PrintTable {
        let bits = (usize::BITS - count.leading_zeros()).clamp(2, 19) - 1;
        PrintTable { bits, buckets: vec![0; 1 << bits].into() }
    }

    /// The upper bits of `place` choose the bucket.
    pub(super) fn add(&mut self, place: u64, print: u64) {
        let bucket = &mut self.buckets[(place >> (64 - self.bits)) as usize];
        let print = lanes(print);
        let lane = (0..4).map(|lane| 0xffff << (16 * lane)).find(|lane| {
            let old = *bucket & lane;
            old == 0 || old == print & lane
        });
        match lane {
            Some(lane) if *bucket != u64::MAX => *bucket |= print & lane,
            _ => *bucket = u64::MAX,
        }
    }

    #[inline(always)]
    pub(super) fn holds(&self, place: u64, print: u64) -> bool {
        let bucket = self.buckets[(place >> (64 - self.bits)) as usize];
        // Whether one of the four lanes equals the fingerprint: the classic test for a zero lane.
        let lanes = bucket ^ lanes(print);
        let zero = lanes.wrapping_sub(0x0001_0001_0001_0001) & !lanes & 0x8000_8000_8000_8000;
        (zero != 0) | (bucket == u64::MAX)
    }
}
