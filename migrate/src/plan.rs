//! Which plugins there are. Istio joins all that is for a workload, whereas two plugins on one workload judge one
//! after the other, and the second finds no token. So the plugins that are written never meet.

use jwt_rbac_explain::check::Severity;

use crate::native::Native;
use crate::target::Target;
use crate::{Notes, Options};

/// The targets that get a plugin. Of two that can select the same workload, the one for more is left out, and
/// told of.
pub fn targets(natives: &[Native], options: &Options, notes: &mut Notes) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let all = natives.iter().flat_map(|native| &native.targets).chain(&options.workloads);
    for target in all {
        if !targets.contains(target) {
            targets.push(target.clone());
        }
    }
    let rival = |target: &Target| {
        let meets = |other: &&Target| *other != target && target.overlaps(other);
        // What is for less keeps its plugin.
        targets.iter().filter(meets).find(|other| !other.covers(target)).cloned()
    };
    let (left_out, kept): (Vec<_>, Vec<_>) =
        targets.iter().cloned().partition(|target| rival(target).is_some());
    for target in left_out {
        let Some(rival) = rival(&target) else { continue };
        tell(&target, &rival, natives, options, notes);
    }
    kept
}

fn tell(target: &Target, rival: &Target, natives: &[Native], options: &Options, notes: &mut Notes) {
    let Some(native) = natives.iter().find(|native| native.targets.contains(target)) else {
        return;
    };
    let is_named = options.workloads.iter().any(|workload| target.covers(workload));
    let (severity, message) = if is_named {
        let message = format!(
            "this is for {target}; it is carried to the workloads that have a plugin, and to no others"
        );
        (Severity::Warning, message)
    } else {
        let message = format!(
            "no plugin for {target}, because {rival} can be among them: two plugins would judge one after \
             the other, where Istio joins its resources"
        );
        (Severity::Error, message)
    };
    let help = "name each other workload that needs a plugin: --workload NAMESPACE/LABEL=VALUE";
    notes.add(native.file, native.finding(severity, "overlap", message).help(help));
}
