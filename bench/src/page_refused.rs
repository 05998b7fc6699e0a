//! The table of `docs/benchmark-all.md` on the requests of [`refused`](super::refused).

use super::page;
use super::result::{self, Row};

/// The table.
pub fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| keys; token | native pair, µs | ours, µs | ratio | bound | verdict |\n\
         |---|---|---|---|---|---|\n",
    );
    table.extend(rows.iter().map(line));
    table
}

fn line(row: &Row) -> String {
    let Row { comparison, base, ours, .. } = row;
    let bound = comparison.bound.map_or_else(String::new, |bound| format!("< {bound:.0}"));
    let verdict =
        result::verdict(ours.high, comparison.bound, None, |excess| format!("{excess:.0} µs"));
    let ratio = page::ratio_over_noise(row);
    let [base, ours] = [*base, *ours].map(page::figures);
    format!("| {} | {base} | {ours} | {ratio} | {bound} | {verdict} |\n", comparison.title)
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::row;
    use super::*;

    #[test]
    fn a_line_says_whether_the_bound_holds() {
        let mut row = row();
        row.comparison.bound = Some(300.0);
        let line = |row: &Row| table(std::slice::from_ref(row)).lines().last().map(str::to_owned);
        let figures =
            "| token seen before | 81.3 [80.0, 82.6] | 8.9 [8.5, 9.3] | 0.110 [0.104, 0.115] |";
        assert_eq!(line(&row).unwrap(), format!("{figures} < 300 | must holds |"));
        row.comparison.bound = Some(5.0);
        assert_eq!(line(&row).unwrap(), format!("{figures} < 5 | must **fails** by 4 µs |"));
    }
}
