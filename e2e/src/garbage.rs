//! Bytes that a hostile client could send instead of a token: random ones, and good tokens with
//! damage. They are the same in every run, so that a failure can be repeated.

/// A source of garbage (xorshift).
#[derive(Debug)]
pub struct Garbage(u64);

impl Garbage {
    /// The source, at its start.
    #[allow(clippy::new_without_default, reason = "there is no garbage by default")]
    pub fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// A number below this limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits fit") % limit
    }

    /// Up to two hundred bytes.
    pub fn bytes(&mut self) -> Vec<u8> {
        let length = self.below(200);
        (0..length).map(|_| u8::try_from(self.below(256)).expect("below 256")).collect()
    }

    /// The token with one to four bytes changed, removed or added.
    pub fn damaged(&mut self, token: &[u8]) -> Vec<u8> {
        const BYTES: &[u8] = b"._-=AZaz09%\"{}\xff";
        let mut token = token.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(token.len());
            let byte = BYTES[self.below(BYTES.len())];
            match self.below(3) {
                0 => token[place] = byte,
                1 => drop(token.remove(place)),
                _ => token.insert(place, byte),
            }
        }
        token
    }
}
