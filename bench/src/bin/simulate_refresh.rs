//! Prints how often the proxies of a mesh of 10,000 ask an issuer for its keys, in a simulation that
//! runs the filter's own state machine: `make simulate-refresh`.

use jwt_rbac_bench::mesh;

fn main() {
    println!("{} sidecars with {} workers each:\n", mesh::SIDECARS, mesh::WORKERS);
    print!("{}", mesh::table());
}
