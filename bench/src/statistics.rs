//! Ratios of overheads and their confidence intervals, by a bootstrap over rounds.
//!
//! What is measured in one round is measured within seconds, so that a slow minute of the machine
//! slows all of it. Rounds are therefore drawn as a whole.

/// How often rounds are drawn.
const RESAMPLES: usize = 10_000;

/// A figure and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The ratio of the means, or the mean.
    pub value: f64,
    /// The 2.5th percentile of that over rounds drawn with replacement.
    pub low: f64,
    /// The 97.5th.
    pub high: f64,
}

/// What each round costs more with the filter than without.
pub fn differences(plain: &[f64], filtered: &[f64]) -> Vec<f64> {
    plain.iter().zip(filtered).map(|(plain, filtered)| filtered - plain).collect()
}

/// The mean of [`differences`].
pub fn difference(plain: &[f64], filtered: &[f64]) -> Estimate {
    ratio(&differences(plain, filtered), &vec![1.0; plain.len()])
}

/// The mean; NaN if there are no values.
pub fn mean(values: &[f64]) -> f64 {
    let mut sum = 0.0;
    let mut count = 0.0;
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

/// The ratio of the mean of `ours` to that of `base`, both by round.
///
/// The rounds are drawn in the same order every time, so that one set of measurements has one
/// result.
pub fn ratio(ours: &[f64], base: &[f64]) -> Estimate {
    let mut numbers = SplitMix(0);
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut drawn_ours, mut drawn_base) = (0.0, 0.0);
            for _ in ours {
                let round = numbers.below(ours.len());
                drawn_ours += ours[round];
                drawn_base += base[round];
            }
            drawn_ours / drawn_base
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let percentile = |per_mille: usize| ratios[(RESAMPLES - 1) * per_mille / 1000];
    Estimate { value: mean(ours) / mean(base), low: percentile(25), high: percentile(975) }
}

/// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (OOPSLA 2014).
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^= number >> 31;
        usize::try_from(number >> 33).expect("31 bits fit") % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn rounds_that_agree_leave_no_doubt() {
        let plain = [30.0, 31.0, 45.0];
        let native = differences(&plain, &[110.0, 111.0, 125.0]);
        let ours = differences(&plain, &[38.0, 39.0, 53.0]);
        let Estimate { value, low, high } = ratio(&ours, &native);
        assert!([value, low, high].iter().all(|ratio| is_near(*ratio, 0.1)));
    }

    #[test]
    fn a_slow_round_that_slows_both_changes_nothing() {
        let Estimate { low, high, .. } = ratio(&[8.0, 16.0, 8.0], &[80.0, 160.0, 80.0]);
        assert!(is_near(low, 0.1) && is_near(high, 0.1));
    }

    #[test]
    fn rounds_that_differ_widen_the_interval() {
        let few = ratio(&[6.0, 8.0, 10.0], &[80.0; 3]);
        assert!(few.low < few.value && few.value < few.high);
        assert!(is_near(few.value, 0.1) && few.low >= 0.075 && few.high <= 0.125);
        let many = ratio(&[6.0, 8.0, 10.0].repeat(10), &[80.0; 30]);
        assert!(many.high - many.low < few.high - few.low);
        assert!(is_near(many.value, few.value));
    }

    #[test]
    fn the_interval_holds_a_known_ratio_as_often_as_it_says() {
        let mut numbers = SplitMix(7);
        let mut noise = |mean: f64| mean * if numbers.below(2) == 0 { 0.9 } else { 1.1 };
        let is_held = |_: &u32| {
            let (ours, base): (Vec<f64>, Vec<f64>) =
                (0..7).map(|_| (noise(8.0), noise(80.0))).unzip();
            let Estimate { low, high, .. } = ratio(&ours, &base);
            low <= 0.1 && 0.1 <= high
        };
        // With so few rounds the interval of a bootstrap is a little too narrow.
        let held = (0..100).filter(is_held).count();
        assert!((85..=99).contains(&held), "{held}");
    }

    #[test]
    fn a_difference_is_that_of_the_same_round() {
        let steady = difference(&[30.0, 31.0, 45.0], &[32.0, 33.0, 47.0]);
        assert!([steady.value, steady.low, steady.high].iter().all(|it| is_near(*it, 2.0)));
        let noisy = difference(&[30.0, 30.0, 30.0], &[29.0, 31.0, 33.0]);
        assert!(is_near(noisy.value, 1.0) && noisy.low < 0.0 && noisy.high > 2.0);
    }

    #[test]
    fn means() {
        assert!(is_near(mean(&[1.0, 2.0, 6.0]), 3.0));
        assert!(mean(&[]).is_nan());
    }
}
