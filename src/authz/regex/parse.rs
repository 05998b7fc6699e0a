//! From the text of a regular expression to its steps.

use std::str::Chars;

/// How many steps an expression may have: `a{1000}` is short.
const MAX_STEPS: usize = 512;
/// How many groups may lie in each other: they are read by recursion.
const MAX_DEPTH: usize = 32;

const TOO_LARGE: &str = "it has more than 512 steps, because a `{…}` in it is long";

/// One step of a match.
#[derive(Clone, Debug)]
pub enum Step {
    /// A character of a class.
    Class(Class),
    /// On to these places, counted from here, without a character.
    Jump([Option<isize>; 2]),
}

/// A set of characters.
#[derive(Clone, Debug, Default)]
pub struct Class {
    ranges: Vec<(char, char)>,
    is_negated: bool,
}

/// An expression that was read.
pub struct Parsed {
    pub steps: Vec<Step>,
    pub ignores_case: bool,
}

impl Step {
    pub fn takes(&self, char: char, ignores_case: bool) -> bool {
        let Self::Class(class) = self else { return false };
        let has = |char| class.ranges.iter().any(|(first, last)| (*first..=*last).contains(&char));
        let is_in = has(char)
            || ignores_case && (has(char.to_ascii_lowercase()) || has(char.to_ascii_uppercase()));
        is_in != class.is_negated
    }

    fn jump(offset: usize) -> Self {
        Self::Jump([Some(forth(offset)), None])
    }

    /// To the next step, or past this many steps behind it.
    fn skip(steps: usize) -> Self {
        Self::Jump([Some(1), Some(forth(steps.saturating_add(1)))])
    }
}

/// A whole expression. Anchors at its ends change nothing: it matches whole texts alone.
pub fn parse(pattern: &str) -> Result<Parsed, &'static str> {
    let (ignores_case, pattern) = match pattern.strip_prefix("(?i)") {
        Some(pattern) => (true, pattern),
        None => (false, pattern),
    };
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = match pattern.strip_suffix('$') {
        // `\$` is a dollar sign, `\\$` is not.
        Some(rest) if rest.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0 => rest,
        _ => pattern,
    };
    let mut parser = Parser { rest: pattern.chars(), depth: 0 };
    let steps = parser.alternatives()?;
    match parser.rest.next() {
        None => Ok(Parsed { steps, ignores_case }),
        Some(_) => Err("a `)` closes nothing"),
    }
}

struct Parser<'p> {
    rest: Chars<'p>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn take(&mut self, char: char) -> bool {
        let is_next = self.peek() == Some(char);
        if is_next {
            self.rest.next();
        }
        is_next
    }

    /// `a|b|c`
    fn alternatives(&mut self) -> Result<Vec<Step>, &'static str> {
        let mut all = vec![self.sequence()?];
        while self.take('|') {
            all.push(self.sequence()?);
        }
        let mut steps = all.pop().unwrap_or_default();
        while let Some(mut first) = all.pop() {
            first.push(Step::jump(steps.len().saturating_add(1)));
            first.insert(0, Step::skip(first.len()));
            steps = joined(first, &steps)?;
        }
        Ok(steps)
    }

    /// `ab*c`
    fn sequence(&mut self) -> Result<Vec<Step>, &'static str> {
        let mut steps = Vec::new();
        while let Some(char) = self.peek().filter(|char| !matches!(char, '|' | ')')) {
            self.rest.next();
            let atom = self.atom(char)?;
            steps = joined(steps, &self.repeated(atom)?)?;
        }
        Ok(steps)
    }

    /// A character, a class or a group, of which this is the first character.
    fn atom(&mut self, first: char) -> Result<Vec<Step>, &'static str> {
        let class = match first {
            '(' => return self.group(),
            '[' => self.class()?,
            '.' => Class { ranges: vec![('\n', '\n')], is_negated: true },
            '\\' => self.escape()?,
            '*' | '+' | '?' | '{' => return Err("nothing stands before a repetition"),
            '^' | '$' => {
                return Err("the whole text is matched, so `^` and `$` stand at its ends alone");
            }
            char => single(char),
        };
        Ok(vec![Step::Class(class)])
    }

    fn group(&mut self) -> Result<Vec<Step>, &'static str> {
        if self.take('?') && !self.take(':') {
            return Err("of the groups with `(?` there are `(?:…)`, and `(?i)` at the start");
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err("more than 32 groups lie in each other");
        }
        let steps = self.alternatives()?;
        self.depth = self.depth.saturating_sub(1);
        if self.take(')') { Ok(steps) } else { Err("a `(` is not closed") }
    }

    /// `[a-z_]`, behind its bracket.
    fn class(&mut self) -> Result<Class, &'static str> {
        const OPEN: &str = "a `[` is not closed";
        let mut class = Class { is_negated: self.take('^'), ..Class::default() };
        loop {
            let first = match self.rest.next().ok_or(OPEN)? {
                ']' if class.ranges.is_empty() => return Err("a class has no characters"),
                ']' => return Ok(class),
                '[' | '&' | '~' => {
                    return Err("`[`, `&` and `~` in a class need a `\\` before them");
                }
                '-' if !class.ranges.is_empty() && self.peek() != Some(']') => {
                    return Err("`-` stands between two characters, or at an end of the class");
                }
                '\\' => match self.escape()? {
                    Class { is_negated: true, .. } => {
                        return Err("a negated class stands in no other");
                    }
                    Class { ranges, .. } => match ranges.as_slice() {
                        [(char, last)] if char == last => *char,
                        _ => {
                            class.ranges.extend(ranges);
                            continue;
                        }
                    },
                },
                char => char,
            };
            let is_range =
                first != '-' && self.peek() == Some('-') && !self.rest.as_str().starts_with("-]");
            if !is_range {
                class.ranges.push((first, first));
                continue;
            }
            self.rest.next();
            let last = match self.rest.next().ok_or(OPEN)? {
                '\\' => match self.escape()?.ranges.as_slice() {
                    [(char, last)] if char == last => *char,
                    _ => return Err("a range ends with one character"),
                },
                '[' | '&' | '~' | '-' => return Err("a range ends with a letter, a digit or `\\`"),
                char => char,
            };
            if first > last {
                return Err("a range ends before it begins");
            }
            class.ranges.push((first, last));
        }
    }

    /// `\d` and the like, behind the backslash.
    fn escape(&mut self) -> Result<Class, &'static str> {
        let char = self.rest.next().ok_or("nothing stands behind a `\\`")?;
        let ranges = match char.to_ascii_lowercase() {
            'd' => vec![('0', '9')],
            's' => vec![('\t', '\r'), (' ', ' ')],
            'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            _ if char.is_ascii_punctuation() => return Ok(single(char)),
            _ => {
                return match char {
                    'n' => Ok(single('\n')),
                    'r' => Ok(single('\r')),
                    't' => Ok(single('\t')),
                    _ => Err("of the letters only d, w, s, n, r and t stand behind a `\\`"),
                };
            }
        };
        Ok(Class { ranges, is_negated: char.is_ascii_uppercase() })
    }

    /// An atom with the repetition that follows it.
    fn repeated(&mut self, atom: Vec<Step>) -> Result<Vec<Step>, &'static str> {
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => (1, Some(1)),
            _ => return Ok(atom),
        };
        let (least, most) =
            if self.rest.next() == Some('{') { self.bounds()? } else { (least, most) };
        // What is taken first makes no difference for a whole text.
        self.take('?');
        let mut steps = Vec::new();
        for _ in 0..least {
            steps = joined(steps, &atom)?;
        }
        match most {
            None => {
                let mut any = vec![Step::skip(atom.len().saturating_add(1))];
                any.extend_from_slice(&atom);
                any.push(Step::Jump([Some(back(any.len())), None]));
                steps = joined(steps, &any)?;
            }
            Some(most) => {
                let mut once = vec![Step::skip(atom.len())];
                once.extend_from_slice(&atom);
                for _ in least..most {
                    steps = joined(steps, &once)?;
                }
            }
        }
        Ok(steps)
    }

    /// `2}`, `2,}` or `2,5}`: how often, at least and at most.
    fn bounds(&mut self) -> Result<(usize, Option<usize>), &'static str> {
        const NONE: &str = "a `{` is followed by `2}`, `2,}` or `2,5}`";
        let (bounds, rest) = self.rest.as_str().split_once('}').ok_or(NONE)?;
        self.rest = rest.chars();
        let number = |text: &str| {
            // `parse` takes a sign too.
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<usize>().ok().filter(|_| is_number).ok_or(NONE)
        };
        let (least, most) = match bounds.split_once(',') {
            None => (number(bounds)?, Some(number(bounds)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        if most.unwrap_or(least) < least {
            return Err("a repetition has a most that is below its least");
        }
        if most.unwrap_or(least) > MAX_STEPS { Err(TOO_LARGE) } else { Ok((least, most)) }
    }
}

fn single(char: char) -> Class {
    Class { ranges: vec![(char, char)], is_negated: false }
}

fn joined(mut steps: Vec<Step>, more: &[Step]) -> Result<Vec<Step>, &'static str> {
    if steps.len().saturating_add(more.len()) > MAX_STEPS {
        return Err(TOO_LARGE);
    }
    steps.extend_from_slice(more);
    Ok(steps)
}

fn forth(steps: usize) -> isize {
    isize::try_from(steps).unwrap_or(isize::MAX)
}

fn back(steps: usize) -> isize {
    forth(steps).saturating_neg()
}
