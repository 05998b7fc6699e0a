//! `jwt-rbac migrate`: from Istio's resources to the filter's.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use jwt_rbac_explain::check::Severity;
use jwt_rbac_migrate::Kind;
use jwt_rbac_migrate::target::Target;

use crate::check::draw;
use crate::error::Error;
use crate::files;
use crate::output::{Color, Output};

/// Write plugins that do what `RequestAuthentication` and `AuthorizationPolicy` do
#[derive(clap::Args)]
#[command(after_help = "Examples:
  jwt-rbac migrate policies/ > plugins.yaml
  kubectl get requestauthentications,authorizationpolicies -A -o yaml | jwt-rbac migrate -
  jwt-rbac migrate policies/ --trust-domain cluster.local --workload shop/app=cart

The plugins go to standard output, ready for `jwt-rbac check` and `kubectl apply`; what can't be carried over goes to
standard error. Give all resources of a mesh at once: what Istio joins for a workload becomes one plugin.

Exit status: 0 when nothing is lost, 1 when something is, 2 for a wrong command line.")]
pub struct Options {
    /// Istio's resources, in YAML or JSON, lists of `kubectl get` too; a folder stands for all files in it, `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The resource to write
    #[arg(long, value_enum, default_value_t)]
    kind: Resource,
    /// Where the module is
    #[arg(long, default_value = concat!("oci://registry.example.com/team/jwt-rbac:", env!("CARGO_PKG_VERSION")))]
    url: String,
    /// A trust domain of the mesh: its own first, then its aliases
    #[arg(long = "trust-domain", value_name = "DOMAIN")]
    trust_domains: Vec<String>,
    /// A workload that gets a plugin of its own, with all that is for it: `[NAMESPACE/]LABEL=VALUE[,LABEL=VALUE…]`
    #[arg(long = "workload", value_name = "WORKLOAD")]
    workloads: Vec<String>,
    /// The namespace of resources that name none
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Istio's root namespace, whose resources are for all
    #[arg(long, value_name = "NAMESPACE", default_value = "istio-system")]
    root_namespace: String,
    #[command(flatten)]
    color: Color,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Resource {
    /// `extensions.istio.io/v1alpha1`, every Istio
    #[default]
    #[value(name = "WasmPlugin")]
    WasmPlugin,
    /// Its successor, Istio 1.30 and later
    #[value(name = "TrafficExtension")]
    TrafficExtension,
}

/// Migrates the files.
///
/// # Errors
///
/// When a file can't be read, or the plugins can't be written.
pub fn run(options: &Options) -> Result<Output, Error> {
    let workload = |text: &String| Target::parse(text, &options.namespace).map_err(Error::Usage);
    let wanted = jwt_rbac_migrate::Options {
        kind: match options.kind {
            Resource::WasmPlugin => Kind::WasmPlugin,
            Resource::TrafficExtension => Kind::TrafficExtension,
        },
        url: options.url.clone(),
        namespace: options.namespace.clone(),
        root_namespace: options.root_namespace.clone(),
        trust_domains: options.trust_domains.clone(),
        workloads: options.workloads.iter().map(workload).collect::<Result<_, _>>()?,
    };
    let files = files::read_all(&options.files)?;
    let migrated = jwt_rbac_migrate::migrate(&files, &wanted);
    let resources: usize = migrated.checked.iter().map(|checked| checked.documents).sum();
    let drawn = draw::all(&files, &migrated.checked, options.color.is_on());
    let findings = || migrated.checked.iter().flat_map(|checked| &checked.findings);
    let count = |severity| findings().filter(|finding| finding.severity == severity).count();
    let words = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    };
    let summary = format!(
        "{} of Istio: {}, {}, {}",
        words(resources, "resource"),
        words(migrated.plugins.len(), "plugin"),
        words(count(Severity::Error), "error"),
        words(count(Severity::Warning), "warning"),
    );
    // If standard error is closed, the exit status still tells.
    let _ = writeln!(io::stderr(), "{drawn}{summary}");
    Ok(Output {
        text: migrated.yaml().map_err(Error::Yaml)?,
        has_failed: migrated.has_errors() || resources == 0,
    })
}
