//! The section of `docs/benchmark-all.md` on the requests of [`refused`](super::refused).

use super::page;
use super::result::{self, Row};

/// The section.
pub fn section(rows: &[Row]) -> String {
    let mut section = String::from(
        "## Refused requests that cost most\n\n\
         Anybody can send a token that nobody has signed. These are answered with 401; the key sets are those that make it\n\
         dearest to find that out. Tokens name no `kid`, so that every key is one to try. A target holds when the upper end\n\
         of the interval is below the bound, in microseconds.\n\n\
         | keys; token | native pair, µs | ours, µs | ratio | bound | verdict |\n|---|---|---|---|---|---|\n",
    );
    for row in rows {
        section += &line(row);
    }
    section
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
        let line = |row: &Row| section(std::slice::from_ref(row)).lines().last().map(str::to_owned);
        let figures =
            "| token seen before | 81.3 [80.0, 82.6] | 8.9 [8.5, 9.3] | 0.110 [0.104, 0.115] |";
        assert_eq!(line(&row).unwrap(), format!("{figures} < 300 | must holds |"));
        row.comparison.bound = Some(5.0);
        assert_eq!(line(&row).unwrap(), format!("{figures} < 5 | must **fails** by 4 µs |"));
    }
}
