//! Findings as `rustc` draws its own: the line, what of it is meant, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use jwt_rbac_explain::check::{Checked, File, Finding, Severity};

use crate::usage::without_control_characters;

/// All findings of all files.
pub fn all(files: &[File], checked: &[Checked], is_colored: bool) -> String {
    let files = files.iter().zip(checked);
    let drawn = files.map(|(file, checked)| {
        findings(&file.name, &checked.shown(&file.text), &checked.findings, is_colored)
    });
    drawn.collect::<Vec<_>>().concat()
}

/// The findings of one file.
pub fn findings(name: &str, text: &str, findings: &[Finding], is_colored: bool) -> String {
    let renderer = if is_colored { Renderer::styled() } else { Renderer::plain() };
    let drawn = findings.iter().map(|it| renderer.render(&group(name, text, it)) + "\n\n");
    drawn.collect::<Vec<_>>().concat()
}

fn group<'f>(name: &'f str, text: &'f str, finding: &'f Finding) -> [Group<'f>; 1] {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // The title is the one line that holds what the author wrote.
    let title = level.primary_title(without_control_characters(&finding.message)).id(finding.rule);
    let label = without_control_characters(&finding.place);
    let main = AnnotationKind::Primary.span(finding.span.clone()).label(label);
    let mut snippet = Snippet::source(text).path(name).annotation(main);
    if let Some((span, word)) = &finding.other {
        snippet = snippet.annotation(AnnotationKind::Context.span(span.clone()).label(word));
    }
    let mut group = title.element(snippet);
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(without_control_characters(help)));
    }
    [group]
}

#[cfg(test)]
mod tests {
    use jwt_rbac_explain::check::check;
    use proptest::prelude::*;

    use super::*;

    /// A document with something of everything, to be damaged.
    const DOCUMENT: &str = concat!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: ü}\nspec:\n  url: x\n",
        "  pluginConfig:\n    fence: {header: x-f, value: 3f9c01d7a2b4e6881c05}\n    jwtRules:\n",
        "    - issuer: &i https://a.test\n      audiences: [a, 'b c']\n      jwks: |\n        {\"keys\": []}\n",
        "    routes:\r\n    - {paths: [\"/a/{b}\", /c], methods: [GET], issuers: [*i]}\n",
        "    - name: \"é\\u0007\"\n      paths:\n      - /d/{**}\n      permissions: {allOf: [yes, 1e400]}\n",
    );

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Whatever a file holds, its findings can be drawn, and stand in it.
        #[test]
        fn no_text_panics(
            cuts in prop::collection::vec((0..DOCUMENT.len(), 0..40_usize, "\\PC{0,3}|[\\n\\t{}\\[\\]:*&|\"-]{0,3}"), 0..4),
        ) {
            let mut text = DOCUMENT.to_owned();
            for (start, length, added) in cuts {
                let boundary = |at: usize| (at..=text.len()).find(|it| text.is_char_boundary(*it));
                let start = boundary(start.min(text.len())).unwrap_or(text.len());
                let end = boundary((start + length).min(text.len())).unwrap_or(text.len());
                text.replace_range(start..end, &added);
            }
            let file = File { name: "a.yaml".to_owned(), text, from_folder: false };
            let checked = check(std::slice::from_ref(&file), None);
            for finding in &checked[0].findings {
                prop_assert!(file.text.get(finding.span.clone()).is_some(), "{finding:?}");
            }
            let _ = all(&[file], &checked, false);
        }
    }
}
