//! `docs/costs.md`: what a request pays, step by step, and what would change it.

use std::fmt::Write as _;

use super::costs::{Costs, Step};
use super::machine::Circumstances;
use super::page;
use super::round::Results;
use super::statistics::Estimate;

/// The page.
pub fn page_costs(costs: &Costs, results: &Results, of: &Circumstances) -> String {
    let mut page = how(costs.suite.measured.len(), of);
    page += &page::circumstances(of);
    page += "\n## What a request pays\n\n| step | µs | 95 % interval |\n|---|---|---|\n";
    for step in &costs.steps {
        page += &line(step, step.cost(results));
    }
    page += "\nAll of it, beside the native pair:\n\n\
             | request | floor, µs | ours, µs | native pair, µs |\n|---|---|---|---|\n";
    for case in &costs.cases {
        let all =
            [case.floor(results), case.ours(results), case.native(results)].map(page::figures);
        let _ = writeln!(page, "| {} | {} |", case.title, all.join(" | "));
    }
    page + "\n![What a request costs, in parts](costs.svg)\n" + MOVES
}

fn how(listeners: usize, of: &Circumstances) -> String {
    let Circumstances { rounds, seconds, .. } = of;
    format!(
        "# Costs\n\n\
         What a request pays for in this filter, step by step, beside the **floor**: a module that makes the \
         same calls to Envoy\nand does nothing else (`e2e/floor`). `make costs` writes this page.\n\n\
         - A step is what one listener costs more than another in the same round, in CPU time of the whole \
         Envoy process for\n  each request. Load and listeners are those of [the benchmark](benchmark.md): \
         {listeners} in turn, {rounds} rounds, {seconds} s each.\n\
         - The interval is a 95 % bootstrap over rounds. One that is wider than its figure says that the step \
         is too small for\n  the noise of the machine.\n\
         - Our code is what our filter costs more than the floor with the same calls. Envoy calls every callback \
         that a module\n  exports; both export the same three of a stream.\n\n"
    )
}

fn line(step: &Step, Estimate { value, low, high }: Estimate) -> String {
    format!("| {} | {value:.1} | [{low:.1}, {high:.1}] |\n", step.title)
}

/// What the steps are made of in Envoy 1.40; the sources are named where they say so.
const MOVES: &str = "
## What would move it

- **Entering the VM.** Envoy makes a context for each stream and enters the VM once for each callback that the
  module exports; ours are the three that are needed. Each time V8's C API looks up the type of the function anew; its
  own comment says that \"caching {sig} would reduce overhead substantially\" (`src/wasm/c-api.cc`). The rest is
  V8's.
- **Fetching headers.** Whatever a call returns lies in the VM's memory, and Envoy enters the VM again to get that memory
  (`WasmBase::allocMemory`), after it has built the set of calls that are forbidden meanwhile. So ours makes one call for all
  headers. A call that returns several named headers into memory that the module offers would save that entry, and the
  copy of headers that nobody reads.
- **Time and counters** return no data and enter nothing. Ours adds up in the VM and hands the sums over on a tick, so that
  a request makes no call to count; the counters lag by a tenth of a second.
- **Removing the token.** A change of headers makes Envoy forget the route and choose it again (`onHeadersModified`). Here
  there is one; behind a gateway with hundreds it costs more. `forwardOriginalToken: true` changes no header.
  Envoy has `clear_route_cache` for modules of a later ABI, which will decide for themselves; there is none yet.
- **Signature.** BoringSSL's check is in it, which the native pair makes too. On top, `verify_signature` parses the key
  and copies its argument at each call, and the call copies the table of all foreign functions (`getForeignFunction`). A
  function that takes a key once and gives a handle, as `expr_create` does for expressions, would save the first; a
  reference to the table the last. Both are changes of Envoy.
- **Our code** for a new token decodes base64, parses JSON, builds the argument of the call and keeps the identity; a
  token that comes again skips that. What Envoy and Linux do between two requests drives it out of the processor's
  caches, so that it counts how much code there is on the way of a request, not only how often it runs.
- **Denial.** A value for access logs is a call that makes an object in Envoy. The local reply takes the place of the
  route's answer, here a local reply too, so that it can cost less than nothing.

## What was tried

| change | |
|---|---|
| only the callbacks that the filter has are exported (`trim`) | kept |
| a token is looked at once, eight bytes at a time | kept |
| claims are read where they stand in the token | kept |
| counts, and the time under load, on a tick | kept |
| one value for access logs, not four | kept |
| what is rarely needed is kept out of the code on the way (`#[cold]`) | kept |
| vector instructions (`simd128`) | kept |
| `CARGO_PROFILE_RELEASE_OPT_LEVEL=s make build` meets the goal for the size, and loads faster | every request takes longer |
| `rsa` 0.10 in place of 0.9 | not tried: it is a release candidate |
| the allocators `talc` and `rlsf`, lists on the stack, another order of functions in the module | no difference |
| the header of a token remembered for each key | saves too little for its code |
";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::page::tests::of_a_run;
    use super::*;

    #[test]
    fn every_step_has_its_line() {
        let costs = Costs::new(Path::new("floor.wasm"));
        let count = costs.suite.measured.len();
        let results = Results { costs: vec![vec![30.0, 32.0]; count], least_busy: 1.0 };
        let page = page_costs(&costs, &results, &of_a_run());
        for text in [
            "| fetching all headers | 0.0 | [0.0, 0.0] |\n",
            "| denied by permission | 0.0 [0.0, 0.0] | 0.0 [0.0, 0.0] | 0.0 [0.0, 0.0] |\n",
            "AMD EPYC, 2 CPUs, Linux 6.1.0; Envoy 1.40.0",
            "7 rounds, 5 s each",
        ] {
            assert!(page.contains(text), "{text}\n{page}");
        }
        let (measured, _) = page.split_once("## What would move it").unwrap();
        let lines = measured.lines().filter(|line| line.starts_with('|')).count();
        assert_eq!(lines, costs.steps.len() + costs.cases.len() + 4);
    }
}
