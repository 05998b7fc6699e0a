//! The page in a real browser, from a file, as `make playground-page` writes it.

mod chromium;

use std::path::{Path, PathBuf};

use chromium::Chromium;
use serde_json::json;

const TAB: u32 = 9;
const ENTER: u32 = 13;

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/playground/index.html");
    let page = page.canonicalize().expect("the page is there: make test-page builds it");
    format!("file://{}", page.display())
}

fn browser(name: &str) -> Chromium {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut browser = Chromium::start(&folder);
    browser.open(&page());
    browser
}

#[test]
#[ignore = "needs Chromium: make test-page"]
fn it_decides_while_one_types_and_says_nothing_to_anybody() {
    let mut browser = browser("decides");
    let verdict = "document.getElementById('verdict').textContent";
    assert_eq!(browser.value(verdict), "Denied: 403 claim_mismatch");
    // Another path, another decision.
    browser.value(
        "document.getElementById('request').select(), document.getElementById('request').focus()",
    );
    browser.write("GET /customers/other/orders/7");
    browser.wait_until(&format!("{verdict} === 'Allowed'"));
    // A mistake has its place, and the decision is gone.
    browser.value(
        "(field => { field.focus(); const at = field.value.indexOf('methods'); field.setSelectionRange(at, at + 7) })(document.getElementById('document'))",
    );
    browser.write("metods");
    browser.wait_until(&format!("{verdict}.startsWith('The document has errors')"));
    let findings = browser.value("document.getElementById('findings').textContent");
    let findings = findings.as_str().expect("text");
    assert!(
        findings.starts_with("12:3error: unknown field metodsdid you mean methods?"),
        "{findings}"
    );
    assert_eq!(browser.value("document.querySelector('#marks .error').textContent"), "metods");
    assert_eq!(browser.value("document.getElementById('document').ariaInvalid"), "true");
    // No request left the page, and nothing in it was refused.
    assert_eq!(browser.complaints, Vec::<serde_json::Value>::new());
    // Nor could one: the policy has no source for it.
    let refused = browser.value("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')");
    assert_eq!(refused, "refused");
    let reason = browser.complaints.iter().map(ToString::to_string).collect::<String>();
    assert!(reason.contains("Content Security Policy"), "{reason}");
}

#[test]
#[ignore = "needs Chromium: make test-page"]
fn every_example_works_and_a_cell_shows_its_way() {
    let mut browser = browser("examples");
    let names = browser.value("SAMPLES.map((sample) => sample.name)");
    for name in names.as_array().expect("names") {
        browser.value(&format!(
            "(field => {{ field.value = {name}; field.dispatchEvent(new Event('change')) }})(document.getElementById('sample'))"
        ));
        let errors = browser.value("document.getElementById('findings-summary').textContent");
        let errors = errors.as_str().expect("text");
        let rows = browser.value("document.querySelectorAll('#matrix tbody tr').length");
        let is_broken = name.as_str().is_some_and(|name| name.contains("mistakes"));
        assert_eq!(errors.starts_with("0 errors"), !is_broken, "{name}: {errors}");
        assert_eq!(rows.as_u64() > Some(0), !is_broken, "{name}");
    }
    browser.value("put({...SAMPLES[0]}), show()");
    let statuses = browser.value("[...document.querySelectorAll('#matrix tbody tr:first-child button')].map((button) => button.textContent)");
    let expected = json!(["403 identity_missing", "allow", "allow", "allow", "401 expired"]);
    assert_eq!(statuses, expected);
    browser.value("document.querySelectorAll('#matrix tbody tr:first-child button')[4].click()");
    browser.wait_until("document.getElementById('verdict').textContent === 'Denied: 401 expired'");
    assert_eq!(browser.value("field.sender.value"), "expired");
    assert_eq!(browser.value("document.querySelectorAll('[aria-pressed=true]').length"), 1);
}

#[test]
#[ignore = "needs Chromium: make test-page"]
fn a_link_brings_everything_back_but_the_token() {
    let mut browser = browser("link");
    browser
        .value("put({...SAMPLES[1], document: SAMPLES[1].document + '# ü\u{1f980}\\n'}), show()");
    browser.value("field.sender.value = TOKEN, field.sender.dispatchEvent(new Event('change'))");
    browser
        .value("field.token.value = 'secret-token', field.token.dispatchEvent(new Event('input'))");
    browser.value("share()");
    let link = browser.value("location.href");
    let link = link.as_str().expect("a link").to_owned();
    let kept = browser.value("fromFragment(location.hash.slice(1))");
    assert!(!kept.to_string().contains("secret-token"), "{kept}");
    assert_eq!(browser.value("sessionStorage.getItem('jwt-rbac').includes('secret-token')"), false);
    browser.leave();
    browser.open(&link);
    assert_eq!(
        browser.value("field.document.value === SAMPLES[1].document + '# ü\u{1f980}\\n'"),
        true
    );
    assert_eq!(browser.value("field.token.value"), "");
    assert_eq!(
        browser.value("wantedSender === TOKEN && !document.getElementById('token-row').hidden"),
        true
    );
    browser.leave();
    browser.open(&format!("{}#damaged", page()));
    browser.wait_until("document.getElementById('shared').textContent.includes('damaged')");
}

#[test]
#[ignore = "needs Chromium: make test-page"]
fn keyboard_and_screen_reader_are_enough() {
    let mut browser = browser("keyboard");
    // Every field and button has a name, and what changes is announced.
    let tree = browser.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("nodes").clone();
    let role =
        |node: &serde_json::Value| node["role"]["value"].as_str().unwrap_or_default().to_owned();
    let mut fields = 0;
    for node in &nodes {
        if ["textbox", "combobox", "button", "checkbox", "table", "region"].contains(&&*role(node))
        {
            fields += 1;
            let name = node["name"]["value"].as_str().unwrap_or_default();
            assert!(!name.trim().is_empty(), "{node}");
        }
    }
    assert!(fields > 15, "{fields}");
    let live = browser.value("document.querySelectorAll('[aria-live], [role=status]').length");
    assert!(live.as_u64() >= Some(4), "{live}");
    // From the top to a cell of the matrix by keys alone.
    browser.value("document.activeElement.blur()");
    let mut seen = Vec::new();
    let is_cell = "Boolean(document.activeElement.closest('#matrix'))";
    while browser.value(is_cell) != json!(true) {
        browser.press("Tab", TAB);
        seen.push(browser.value("document.activeElement.id || document.activeElement.tagName"));
        assert!(seen.len() < 60, "{seen:?}");
    }
    for id in ["sample", "share", "document", "request", "sender", "callers"] {
        assert!(seen.contains(&json!(id)), "{id} in {seen:?}");
    }
    browser.press("Enter", ENTER);
    browser.wait_until(
        "document.getElementById('verdict').textContent === 'Denied: 403 identity_missing'",
    );
    assert_eq!(browser.value(is_cell), true, "the focus stays where it was");
    // A finding leads to its place.
    browser
        .value("put({...SAMPLES[2]}), show(), document.querySelector('#findings button').focus()");
    browser.press("Enter", ENTER);
    browser.wait_until("document.activeElement === field.document");
    let selected = browser.value(
        "field.document.value.slice(field.document.selectionStart, field.document.selectionEnd)",
    );
    assert_eq!(selected, "audience");
}

#[test]
#[ignore = "needs Chromium: make test-page"]
fn it_fits_a_phone_and_the_night() {
    let mut browser = browser("phone");
    let size = json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true});
    for scheme in ["light", "dark"] {
        browser.call("Emulation.setDeviceMetricsOverride", &size);
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.call("Emulation.setEmulatedMedia", &media);
        browser.leave();
        browser.open(&page());
        let width = browser.value("document.documentElement.scrollWidth");
        assert_eq!(width, 390, "nothing is wider than the screen");
        // WCAG 2.2, 1.4.3: at least 4.5 to 1.
        let contrasts = browser.value(CONTRAST);
        for (text, contrast) in contrasts.as_object().expect("contrasts") {
            assert!(contrast.as_f64() >= Some(4.5), "{scheme}: {text}: {contrast}");
        }
    }
}

/// The contrast of some texts with what is behind them (WCAG 2.2, relative luminance).
const CONTRAST: &str = r"(() => {
  const channel = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const color = numbers(getComputedStyle(it).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const query of ['h1', 'h1 span', '.hint', '#verdict', '#meaning', '#steps li', '#matrix .allow button', '#matrix .deny button', '#document', '#request', '#lines']) {
    const element = document.querySelector(query);
    const [a, b] = [luminance(numbers(getComputedStyle(element).color)), luminance(behind(element))];
    found[query] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
})()";
