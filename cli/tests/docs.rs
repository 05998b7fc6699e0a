//! The commands of docs/cli.md print what it shows. Its files are written where the commands run.

use std::env;
use std::fs;
use std::path::Path;

#[test]
fn the_commands_of_the_page_print_what_it_shows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let text = fs::read_to_string(&page).unwrap();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
    fs::create_dir_all(&directory).unwrap();
    let mut blocks = text.split("```");
    // Every second part is what stands between the marks.
    while let Some(block) = blocks.nth(1) {
        let (info, lines) = block.split_once('\n').unwrap();
        if let Some((_, file)) = info.split_once(' ') {
            fs::write(directory.join(file), lines).unwrap();
        }
    }
    env::set_current_dir(&directory).unwrap();
    trycmd::TestCases::new().case(page.to_str().unwrap());
}
