//! The playground as one file that needs no server: the page of `playground/page`, and in it the module that
//! decides.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use walrus::ModuleConfig;

/// Puts the page together.
///
/// # Errors
///
/// When a part of it can't be read.
pub fn page(parts: &Path, module: &[u8]) -> io::Result<String> {
    let read = |name: &str| fs::read_to_string(parts.join(name));
    let style = read("style.css")?;
    let packed = packed(module)?;
    let script = format!("\n{}\n{}", read("samples.js")?, read("script.js")?);
    Ok(assembled(&read("index.html")?, |name| match name {
        "style" => Some(style.clone()),
        "style-hash" => Some(hash(&style)),
        "script" => Some(script.clone()),
        "script-hash" => Some(hash(&script)),
        "module" => Some(packed.clone()),
        _ => None,
    }))
}

/// The template with a value in place of each `{{name}}` that has one.
fn assembled(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once("{{") {
        page.push_str(before);
        let name = behind.split_once("}}");
        let found = name.and_then(|(name, behind)| Some((value(name)?, behind)));
        let (text, behind) = found.unwrap_or_else(|| ("{{".to_owned(), behind));
        page.push_str(&text);
        rest = behind;
    }
    page + rest
}

/// A source of a Content-Security-Policy: the text of an element, and no other, is used.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// The same bytes for the same module, whenever it is built.
fn packed(module: &[u8]) -> io::Result<String> {
    // Names of functions are a fifth of it, and nobody reads them here.
    let module = ModuleConfig::new().generate_name_section(false).parse(module);
    let module = module.map_err(io::Error::other)?.emit_wasm();
    let mut packer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    packer.write_all(&module)?;
    Ok(BASE64_STANDARD.encode(packer.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_way_to_its_value_once() {
        let value = |name: &str| (name == "a").then(|| "{{a}}".to_owned());
        assert_eq!(assembled("x {{a}} {{b}} {{a}", value), "x {{a}} {{b}} {{a}");
    }

    #[test]
    fn the_policy_names_what_is_in_the_page() {
        let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playground/page");
        let page = page(&parts, b"\0asm\x01\0\0\0").unwrap();
        for name in ["style", "script"] {
            let (_, text) = page.split_once(&format!("<{name}>")).expect("the element");
            let (text, _) = text.split_once(&format!("</{name}>")).expect("its end");
            assert!(page.contains(&format!("{name}-src {}", hash(text))), "{name}");
        }
        assert!(page.contains("default-src 'none'") && !page.contains("connect-src"));
        assert!(!page.contains("http-equiv=\"refresh\"") && !page.contains(" src="));
    }
}
