//! From a text of YAML, or of JSON, which is YAML too, to [`Node`]s.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{Fault, Member, Node, Parsed, Value, scalar};

/// How deep values may be nested: they are walked by recursion.
const MAX_DEPTH: usize = 100;
/// How many nodes aliases may add, so that a small text can't become a large value.
const MAX_ALIASED: usize = 100_000;

/// Reads all documents of a text. One that can't be read is a fault, and the others are read all the same.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        aliased: 0,
        faults: Vec::new(),
    };
    let mut documents = Vec::new();
    loop {
        match reader.document() {
            Ok(Some(node)) => documents.extend(Some(node).filter(|node| node.value != Value::Null)),
            Ok(None) => break,
            Err(stop) => {
                reader.faults.extend(stop.0.map(|error| syntax_fault(text, &error)));
                match reader.parser.proceed_next_document() {
                    Ok(true) => {}
                    Ok(false) | Err(_) => break,
                }
            }
        }
    }
    Parsed { documents, faults: reader.faults }
}

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    faults: Vec<Fault>,
}

/// Why a document is given up: an error of the parser, or a fault that is noted already.
struct Stop(Option<ScanError>);

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self(Some(error))
    }
}

impl<'t> Reader<'t> {
    /// The next document, null if it is empty; `None` at the end.
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd, _)) => return Ok(None),
                Some((Event::DocumentStart(..), _)) => break,
                Some(_) => {}
            }
        }
        self.anchors.clear();
        let mut node = Node { span: 0..0, value: Value::Null };
        loop {
            match self.next()? {
                None | Some((Event::DocumentEnd, _)) => return Ok(Some(node)),
                Some((event, span)) => node = self.node(event, span, 0)?,
            }
        }
    }

    /// The next event that is no comment.
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Stop> {
        loop {
            match self.parser.next_event() {
                None => return Ok(None),
                Some(event) => match event? {
                    (Event::Comment(..), _) => {}
                    event => return Ok(Some(event)),
                },
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let start = self.range(span);
        if depth > MAX_DEPTH {
            return Err(
                self.fault(start, &format!("found values nested more than {MAX_DEPTH} deep"))
            );
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain
                    || tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let value =
                    if is_text { Value::Text(text.into_owned()) } else { scalar::plain(&text) };
                (anchor, Node { span: start, value })
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(start, depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.object(start, depth)?),
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id) else {
                    return Err(self.fault(start, "found an alias of what it stands in"));
                };
                let node = Node { span: start.clone(), value: node.value.clone() };
                self.aliased += size(&node);
                if self.aliased > MAX_ALIASED {
                    let message = format!("found aliases that add more than {MAX_ALIASED} values");
                    return Err(self.fault(start, &message));
                }
                return Ok(node);
            }
            _ => return Err(self.fault(start, "found something that is no value")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, start: Range<usize>, depth: usize) -> Result<Node, Stop> {
        let mut elements: Vec<Node> = Vec::new();
        loop {
            match self.next()? {
                None => return Err(Stop(None)),
                Some((Event::SequenceEnd, span)) => {
                    let end = elements.last().map_or(start.end, |last| last.span.end);
                    let span = start.start..self.range(span).end.max(end);
                    return Ok(Node { span: self.trimmed(span), value: Value::List(elements) });
                }
                Some((event, span)) => elements.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn object(&mut self, start: Range<usize>, depth: usize) -> Result<Node, Stop> {
        let mut members: Vec<Member> = Vec::new();
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = match self.next()? {
                None => return Err(Stop(None)),
                Some((Event::MappingEnd, span)) => {
                    let end = members.last().map_or(start.end, |last| last.node.span.end);
                    let span = start.start..self.range(span).end.max(end);
                    merge(&mut members, &names, merged);
                    return Ok(Node { span: self.trimmed(span), value: Value::Object(members) });
                }
                Some(event) => event,
            };
            let is_plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..));
            let name_span = self.range(span);
            let Event::Scalar(name, ..) = event else {
                let message = "found a list, an object or an alias, expected the name of a field";
                return Err(self.fault(name_span, message));
            };
            let name = name.into_owned();
            let Some((event, span)) = self.next()? else { return Err(Stop(None)) };
            let node = self.node(event, span, depth + 1)?;
            if name == "<<" && is_plain {
                merged.push(node);
            } else if let Some(&first) = names.get(&name) {
                let other = members.get(first).map(|it| (it.name_span.clone(), "first here"));
                let message = format!("found `{name}` twice");
                let help = Some("keep one of both".to_owned());
                self.faults.push(Fault { span: name_span, message, help, other });
            } else {
                names.insert(name.clone(), members.len());
                members.push(Member { name, name_span, node });
            }
        }
    }

    fn fault(&mut self, span: Range<usize>, message: &str) -> Stop {
        self.faults.push(Fault { span, message: message.to_owned(), help: None, other: None });
        Stop(None)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or_default();
        if self.text.get(range.clone()).is_some() { range } else { 0..0 }
    }

    /// A span without the white space at its end, which the end of a block has.
    fn trimmed(&self, span: Range<usize>) -> Range<usize> {
        let text = self.text.get(span.clone()).unwrap_or_default();
        span.start..span.start + text.trim_end().len()
    }
}

/// Adds the members of `<<` that an object does not have itself.
fn merge(members: &mut Vec<Member>, names: &HashMap<String, usize>, merged: Vec<Node>) {
    let objects = merged.into_iter().flat_map(|node| match node.value {
        Value::List(nodes) => nodes,
        _ => vec![node],
    });
    for object in objects {
        let Value::Object(added) = object.value else { continue };
        for member in added {
            let is_known = names.contains_key(&member.name)
                || members.iter().any(|known| known.name == member.name);
            if !is_known {
                members.push(member);
            }
        }
    }
}

fn size(node: &Node) -> usize {
    let members = node.members().iter().map(|member| &member.node);
    1 + node.elements().iter().chain(members).map(size).sum::<usize>()
}

/// What the parser says, and what was probably meant.
fn syntax_fault(text: &str, error: &ScanError) -> Fault {
    let offset = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let start = text[..offset].rfind('\n').map_or(0, |index| index + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |index| offset + index);
    // The parser may notice a line later.
    let before = text[..start.saturating_sub(1)].rfind('\n').map_or(0, |index| index + 1);
    let lines = [start..end, before..start.saturating_sub(1).max(before)];
    let is_brace = |line: &Range<usize>| {
        let line = &text[line.clone()];
        line.contains('[') && line.contains("/{") && !line.contains("\"/") && !line.contains("'/")
    };
    if let Some(line) = lines.iter().find(|line| is_brace(line)) {
        let at = line.start + text[line.clone()].find("/{").unwrap_or_default();
        let from =
            text[line.start..at].rfind(['[', ',']).map_or(at, |index| line.start + index + 1);
        let from = from + text[from..at].len() - text[from..at].trim_start().len();
        let until = text[at..line.end].find([']', ',']).map_or(line.end, |index| at + index);
        return Fault {
            span: from..until,
            message: "found a path with braces in a list of YAML, where braces begin an object"
                .to_owned(),
            help: Some(format!("write it in quotes: \"{}\"", &text[from..until])),
            other: None,
        };
    }
    let indent = &text[start..end];
    let help = if indent.trim_start_matches(' ').starts_with('\t') {
        Some("YAML indents with spaces, not with tabs".to_owned())
    } else {
        None
    };
    let length = text[offset..end].chars().next().map_or(0, char::len_utf8);
    Fault {
        span: offset..offset + length,
        message: format!("no YAML: {}", error.info()),
        help,
        other: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice<'t>(text: &'t str, node: &Node) -> &'t str {
        &text[node.span.clone()]
    }

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = "a:\n  b: [x, 'y z']\n  c: |\n    text\nd: {e: 7}\n";
        let parsed = parse(text);
        assert_eq!(parsed.faults, []);
        let root = &parsed.documents[0];
        assert_eq!(root.to_json(), json!({"a": {"b": ["x", "y z"], "c": "text\n"}, "d": {"e": 7}}));
        let a = root.get("a").unwrap();
        assert_eq!(slice(text, &a.get("b").unwrap().elements()[1]), "'y z'");
        assert_eq!(slice(text, root.get("d").unwrap()), "{e: 7}");
        assert_eq!(slice(text, a.get("b").unwrap()), "[x, 'y z']");
        assert_eq!(&text[root.member("d").unwrap().name_span.clone()], "d");
    }

    #[test]
    fn documents_anchors_and_merges_are_read() {
        let text =
            "# one\n---\na: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\n---\n---\n{\"j\": [null]}\n";
        let parsed = parse(text);
        assert_eq!(parsed.faults, []);
        let documents: Vec<_> = parsed.documents.iter().map(Node::to_json).collect();
        let first = json!({"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": {"y": 3, "x": 1}});
        assert_eq!(documents, [first, json!({"j": [null]})]);
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next() {
        let text = "paths: [/a/{id}]\n---\na: 1\na: 2\n---\nb: [\n";
        let parsed = parse(text);
        assert_eq!(parsed.documents.len(), 1, "{parsed:?}");
        let [braces, twice, open] = parsed.faults.as_slice() else { panic!("{parsed:?}") };
        assert_eq!(&text[braces.span.clone()], "/a/{id}");
        assert_eq!(braces.help.as_deref(), Some("write it in quotes: \"/a/{id}\""));
        assert_eq!(twice.message, "found `a` twice");
        assert!(open.message.starts_with("no YAML: "), "{open:?}");
    }

    #[test]
    fn aliases_can_not_make_a_small_text_large() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for number in 1..12 {
            let before = format!("*a{}, ", number - 1).repeat(10);
            text = format!("{text}a{number}: &a{number} [{before}]\n");
        }
        let parsed = parse(&text);
        assert!(parsed.faults[0].message.contains("aliases"), "{:?}", parsed.faults);
        assert!(parse(&"[".repeat(5000)).documents.is_empty());
    }
}
