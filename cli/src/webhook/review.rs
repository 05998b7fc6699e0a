//! From an `AdmissionReview` (admission.k8s.io/v1) to its answer.

use jwt_rbac_explain::check::{self, File, Finding, Severity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The label by which a resource says itself whether it is ours.
const LABEL: &str = "/metadata/labels/jwt-rbac-webhook";
/// What was refused because of its contents (RFC 9110 §15.5.21), as the API server does it.
const UNPROCESSABLE: u16 = 422;

/// What the `url` of our module has in it.
#[derive(Debug)]
pub struct Modules(pub Vec<String>);

/// What the API server sends, and gets back with a response in place of the request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionReview {
    api_version: String,
    kind: String,
    #[serde(skip_serializing)]
    request: Option<Request>,
    #[serde(skip_deserializing)]
    response: Option<Response>,
}

#[derive(Debug, Deserialize)]
struct Request {
    uid: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    /// Null when something is deleted.
    #[serde(default)]
    object: Value,
}

#[derive(Debug, Serialize)]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Status {
    code: u16,
    reason: &'static str,
    message: String,
}

/// The answer to a review, and a line for the log if it is a refusal.
///
/// # Errors
///
/// What the text is instead of a review.
pub fn answer(text: &[u8], modules: &Modules) -> Result<(Vec<u8>, Option<String>), String> {
    let mut review: AdmissionReview =
        serde_json::from_slice(text).map_err(|error| format!("no AdmissionReview: {error}"))?;
    if review.api_version != "admission.k8s.io/v1" {
        return Err(format!("found {}, expected admission.k8s.io/v1", review.api_version));
    }
    let request = review.request.take().ok_or("an AdmissionReview without a request")?;
    let (response, line) = judge(request, modules);
    review.response = Some(response);
    let answer = serde_json::to_vec(&review).map_err(|error| error.to_string())?;
    Ok((answer, line))
}

fn judge(request: Request, modules: &Modules) -> (Response, Option<String>) {
    let Request { uid, name, namespace, object } = request;
    if !is_ours(&object, modules) {
        return (Response { uid, allowed: true, status: None, warnings: Vec::new() }, None);
    }
    // JSON is YAML.
    let file = File { name: name.clone(), text: object.to_string(), from_folder: false };
    let findings = check::check(&[file], None).into_iter().flat_map(|checked| checked.findings);
    // Other files are not seen here.
    let findings = findings.filter(|finding| finding.rule != "jwks-uri");
    let (errors, others): (Vec<_>, Vec<_>) = findings.partition(is_refusal);
    let warnings = others.iter().map(sentence).collect();
    if errors.is_empty() {
        return (Response { uid, allowed: true, status: None, warnings }, None);
    }
    let line = format!("refused {namespace}/{name}: {} errors", errors.len());
    let list: Vec<_> = errors.iter().map(|error| format!("\n  {}", sentence(error))).collect();
    let message = format!("the filter would refuse this pluginConfig:{}", list.concat());
    let status = Some(Status { code: UNPROCESSABLE, reason: "Invalid", message });
    (Response { uid, allowed: false, status, warnings }, Some(line))
}

/// Whether a resource has our module, or says that it has.
fn is_ours(object: &Value, Modules(modules): &Modules) -> bool {
    match object.pointer(LABEL).and_then(Value::as_str) {
        Some("check") => return true,
        Some("skip") => return false,
        _ => {}
    }
    let urls = ["/spec/url", "/spec/wasm/url"].iter().filter_map(|at| object.pointer(at)?.as_str());
    let mut urls = urls.map(str::to_lowercase);
    urls.any(|url| modules.iter().any(|module| url.contains(&module.to_lowercase())))
}

/// The filter would refuse it. What is around `pluginConfig` is judged by the API server, which knows
/// fields of later versions of Istio.
fn is_refusal(finding: &Finding) -> bool {
    let is_of_config = finding.rule != "resource" || finding.place.ends_with("pluginConfig");
    finding.severity == Severity::Error && is_of_config
}

fn sentence(Finding { place, message, help, .. }: &Finding) -> String {
    let separator = if place.is_empty() { "" } else { ": " };
    let help = help.as_ref().map_or(String::new(), |help| format!("; {help}"));
    format!("{place}{separator}{message}{help}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plugin(url: &str, config: &Value) -> Value {
        json!({
            "apiVersion": "extensions.istio.io/v1alpha1",
            "kind": "WasmPlugin",
            "metadata": {"name": "orders", "namespace": "shop"},
            "spec": {
                "selector": {"matchLabels": {"app": "orders"}},
                "url": url,
                "phase": "AUTHN",
                "failStrategy": "FAIL_RELOAD",
                "match": [{"mode": "SERVER"}],
                "pluginConfig": config,
            },
        })
    }

    fn extension(config: &Value) -> Value {
        let mut plugin = plugin("oci://registry.test/jwt-rbac:1", config);
        let spec = plugin["spec"].as_object_mut().unwrap();
        let mut wasm = json!({});
        for name in ["url", "failStrategy", "pluginConfig"] {
            wasm[name] = spec.remove(name).unwrap();
        }
        spec.insert("wasm".to_owned(), wasm);
        plugin["kind"] = "TrafficExtension".into();
        plugin
    }

    fn response(object: &Value) -> Value {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {"uid": "7", "name": "orders", "namespace": "shop", "operation": "CREATE", "object": object},
        });
        let modules = Modules(vec!["jwt-rbac".to_owned(), "jwt_rbac".to_owned()]);
        let (answer, _) = answer(review.to_string().as_bytes(), &modules).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            (&answer["kind"], &answer["request"]),
            (&json!("AdmissionReview"), &Value::Null)
        );
        assert_eq!(answer["response"]["uid"], "7");
        answer["response"].clone()
    }

    const URL: &str = "https://artifacts.example.com/jwt_rbac.wasm";

    fn good() -> Value {
        json!({"routes": [
            {"paths": ["/health"], "access": "PUBLIC"}, {"paths": ["/closed"], "access": "DENIED"},
        ]})
    }

    fn broken() -> Value {
        json!({
            "routes": [{"paths": ["/a/../b"], "access": "PUBLIC"}, {"paths": ["/b"], "acess": "PUBLIC"}],
            "decisionLog": "SOME",
        })
    }

    #[test]
    fn a_good_document_passes() {
        for object in [plugin(URL, &good()), extension(&good()), Value::Null] {
            assert_eq!(response(&object), json!({"uid": "7", "allowed": true}));
        }
    }

    #[test]
    fn a_broken_one_is_refused_with_all_its_errors() {
        for object in [plugin(URL, &broken()), extension(&broken())] {
            let response = response(&object);
            assert_eq!(
                (&response["allowed"], &response["status"]["code"]),
                (&json!(false), &json!(422))
            );
            let message = response["status"]["message"].as_str().unwrap();
            let places = ["\n  decisionLog: ", "\n  routes[1].acess: ", "did you mean `access`?"];
            for place in places.iter().chain(&["\n  routes[0].paths[0]: "]) {
                assert!(message.contains(place), "{place} is not in {message}");
            }
        }
        let mut without = plugin(URL, &good());
        without["spec"].as_object_mut().unwrap().remove("pluginConfig");
        assert_eq!(response(&without)["allowed"], false);
    }

    #[test]
    fn what_is_probably_not_meant_is_a_warning() {
        let mut object = plugin(URL, &json!({"routes": [{"paths": ["/"], "access": "PUBLIC"}]}));
        object["spec"]["laterField"] = json!(1);
        let response = response(&object);
        assert_eq!(response["allowed"], true);
        let warnings = response["warnings"].to_string();
        assert!(
            warnings.contains("every route is public") && warnings.contains("laterField"),
            "{warnings}"
        );
    }

    #[test]
    fn only_our_module_is_judged() {
        assert_eq!(response(&plugin("oci://registry.test/other:1", &broken()))["allowed"], true);
        let mut object = plugin("oci://registry.test/mirror/other:1", &broken());
        for (label, url, allowed) in [("check", "x", false), ("skip", URL, true)] {
            object["metadata"]["labels"] = json!({"jwt-rbac-webhook": label});
            object["spec"]["url"] = url.into();
            assert_eq!(response(&object)["allowed"], allowed, "{label}");
        }
    }

    #[test]
    fn what_is_no_review_is_said() {
        let modules = Modules(Vec::new());
        for text in [
            "",
            "{}",
            "[]",
            r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}"#,
        ] {
            assert!(answer(text.as_bytes(), &modules).is_err(), "{text}");
        }
    }
}
