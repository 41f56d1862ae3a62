//! What the TTLs of one side say about its distance.

/// Initial values that systems use: 64 Linux, macOS, the BSDs (RFC 1700 recommends it); 128 Windows; 255 Solaris and routers.
pub const INITIAL: [u8; 3] = [64, 128, 255];

/// How often each TTL was seen.
#[derive(Clone, Debug)]
pub struct Ttls([u64; 256]);

impl Default for Ttls {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Ttls {
    /// Counts one, if it is known.
    pub fn add(&mut self, ttl: Option<u8>) {
        if let Some(ttl) = ttl {
            self.0[usize::from(ttl)] += 1;
        }
    }

    /// Packets seen.
    pub fn known(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Of these, the ones that passed no router.
    pub fn pristine(&self) -> u64 {
        INITIAL.iter().map(|&initial| self.0[usize::from(initial)]).sum()
    }

    /// Of these, the ones that most likely started at each of [`INITIAL`].
    pub fn by_initial(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        let mut from = 0;
        INITIAL.into_iter().map(move |initial| {
            let range = from..=usize::from(initial);
            from = usize::from(initial) + 1;
            (initial, self.0[range].iter().sum())
        })
    }

    /// Routers passed, median; `None` without packets.
    pub fn hops_median(&self) -> Option<u64> {
        let mut hops = [0u64; 256];
        for (ttl, n) in (0..=255u8).zip(self.0) {
            let initial = INITIAL.into_iter().find(|&initial| initial >= ttl).unwrap_or(u8::MAX);
            hops[usize::from(initial - ttl)] += n;
        }
        let rank = self.known().checked_sub(1)? / 2;
        let mut before = 0;
        let at = hops.iter().position(|&n| {
            before += n;
            rank < before
        })?;
        Some(at as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_counted_from_the_next_initial_value() {
        for (ttl, hops, initial) in [
            (64, 0, 64),
            (57, 7, 64),
            (65, 63, 128),
            (128, 0, 128),
            (115, 13, 128),
            (129, 126, 255),
            (255, 0, 255),
            (0, 64, 64),
        ] {
            let mut ttls = Ttls::default();
            ttls.add(Some(ttl));
            ttls.add(None);
            assert_eq!((ttls.known(), ttls.hops_median()), (1, Some(hops)), "ttl {ttl}");
            assert_eq!(
                ttls.by_initial().find(|&(_, n)| n == 1).map(|(i, _)| i),
                Some(initial),
                "ttl {ttl}"
            );
            assert_eq!(ttls.pristine(), u64::from(hops == 0), "ttl {ttl}");
        }
    }

    #[test]
    fn without_packets_there_is_no_distance() {
        assert_eq!(Ttls::default().hops_median(), None);
    }
}
