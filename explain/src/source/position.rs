//! Places in a text, as editors show them.

/// A line and a column, counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where the byte `offset` of a text is.
#[must_use]
pub fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |index| index + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    Position { line, column: before[start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a: b\nü: x\n";
        assert_eq!(position(text, 3), Position { line: 1, column: 4 });
        assert_eq!(position(text, text.find('x').unwrap()), Position { line: 2, column: 4 });
        assert_eq!(position(text, text.len()), Position { line: 3, column: 1 });
    }
}
