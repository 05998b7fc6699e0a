//! What each subcommand prints, as transcripts: `TRYCMD=overwrite cargo test --package jwt-rbac-cli --test
//! transcripts` writes them anew.

#[test]
fn every_command_prints_what_its_transcript_shows() {
    std::env::set_current_dir("tests/cmd").unwrap();
    trycmd::TestCases::new().case("*.trycmd");
}
