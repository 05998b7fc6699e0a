//! What a release holds: the module, its image, the command line, the manifests and the chart with the
//! version and the digest filled in, the schema, a list of what the module is made of, and the
//! checksums of all of them. The same commit gives the same bytes.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use crate::image::{self, Image};

/// What stands in the manifests where a release has the name and the digest of the image.
const URL: &str = "oci://registry.example.com/team/jwt-rbac:";
const DIGEST: &str = "REPLACE_WITH_WHAT_MAKE_PUSH_PRINTS";

/// What a release is made from.
pub struct Sources<'s> {
    /// The root of the repository.
    pub root: &'s Path,
    /// The built module.
    pub module: &'s [u8],
    /// Its image.
    pub image: &'s Image,
    /// The list of what the module is made of.
    pub sbom: &'s str,
    /// The program of the command line, and the machine that it is for.
    pub command_line: (&'s Path, &'s str),
    /// The version.
    pub version: &'s str,
    /// The image without its version, such as `ghcr.io/team/jwt-rbac`, if it is known.
    pub repository: Option<&'s str>,
}

/// Writes the files of a release to a directory, in the place of what is there.
///
/// # Errors
/// Those of the file system.
pub fn write(sources: &Sources<'_>, directory: &Path) -> io::Result<()> {
    let Sources { root, version, .. } = *sources;
    let (program, machine) = sources.command_line;
    let mut files = vec![
        (format!("jwt_rbac-{version}.wasm"), sources.module.to_vec()),
        (format!("jwt-rbac-{version}-image.tar"), archive("", sources.image.layout())?),
        (format!("jwt-rbac-{version}-{machine}"), fs::read(program)?),
        (
            format!("jwt-rbac-{version}.schema.json"),
            fs::read(root.join("docs/pluginconfig.schema.json"))?,
        ),
        (format!("jwt_rbac-{version}.cdx.json"), sources.sbom.as_bytes().to_vec()),
    ];
    let mut manifests = Vec::new();
    read_below(&root.join("wasmplugin"), Path::new(""), &mut manifests)?;
    for (_, bytes) in &mut manifests {
        *bytes = filled(bytes, sources);
    }
    let chart = manifests
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("chart/")?.to_owned(), bytes.clone())));
    let chart = compressed(&archive("jwt-rbac/", chart.collect())?)?;
    let manifests = compressed(&archive("wasmplugin/", manifests)?)?;
    files.push((format!("jwt-rbac-{version}-manifests.tar.gz"), manifests));
    // The name by which Helm knows a packaged chart.
    files.push((format!("jwt-rbac-{version}.tgz"), chart));
    files.sort();
    let sums = files.iter().map(|(name, bytes)| format!("{}  {name}\n", image::hex(bytes)));
    let sums = sums.collect::<Vec<_>>().concat();
    files.push(("SHA256SUMS".to_owned(), sums.into_bytes()));
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    for (name, bytes) in files {
        fs::write(directory.join(name), bytes)?;
    }
    Ok(())
}

/// A manifest with the image of this release. An empty digest of the chart gets it too.
fn filled(bytes: &[u8], sources: &Sources<'_>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    let digest = sources.image.digest();
    let digest = digest.trim_start_matches("sha256:");
    let mut text =
        text.replace(DIGEST, digest).replace("  sha256: \"\"\n", &format!("  sha256: {digest}\n"));
    if let Some(repository) = sources.repository {
        text = text.replace(URL, &format!("oci://{repository}:"));
    }
    text.into_bytes()
}

/// All files below a directory, by their paths, in order.
fn read_below(root: &Path, below: &Path, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let entries = fs::read_dir(root.join(below))?;
    let mut names: Vec<PathBuf> = entries
        .map(|entry| entry.map(|it| below.join(it.file_name())))
        .collect::<Result<_, _>>()?;
    names.sort();
    for name in names {
        let path = root.join(&name);
        if path.is_dir() {
            read_below(root, &name, files)?;
        } else {
            files.push((name.to_string_lossy().into_owned(), fs::read(path)?));
        }
    }
    Ok(())
}

fn archive(prefix: &str, files: Vec<(String, Vec<u8>)>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        image::append(&mut archive, &format!("{prefix}{path}"), &bytes)?;
    }
    archive.into_inner()
}

fn compressed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::env;
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::image::About;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn files_in(archive: &[u8]) -> BTreeMap<String, String> {
        let mut archive = tar::Archive::new(archive);
        let files = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            let path = entry.path().unwrap().display().to_string();
            entry.read_to_string(&mut text).unwrap();
            (path, text)
        });
        files.collect()
    }

    fn unpacked(bytes: &[u8]) -> Vec<u8> {
        let mut archive = Vec::new();
        GzDecoder::new(bytes).read_to_end(&mut archive).unwrap();
        archive
    }

    #[test]
    fn a_release_is_the_same_twice_and_names_its_image() {
        let about = About { version: "0.1.0".to_owned(), source: None };
        let image = Image::new(b"\0asm\x01\0\0\0", &about).unwrap();
        let root = root();
        let sources = Sources {
            root: &root,
            module: b"\0asm",
            image: &image,
            sbom: "{}",
            command_line: (&root.join("LICENSE"), "x86_64-unknown-linux-gnu"),
            version: "0.1.0",
            repository: Some("ghcr.io/team/jwt-rbac"),
        };
        let releases: Vec<BTreeMap<String, Vec<u8>>> = ["a", "b"]
            .iter()
            .map(|name| {
                let directory =
                    env::temp_dir().join(format!("xtask-dist-{}-{name}", std::process::id()));
                write(&sources, &directory).unwrap();
                let mut files = Vec::new();
                read_below(&directory, Path::new(""), &mut files).unwrap();
                fs::remove_dir_all(&directory).unwrap();
                files.into_iter().collect()
            })
            .collect();
        assert_eq!(releases[0], releases[1]);
        let release = &releases[0];
        let sums = String::from_utf8(release["SHA256SUMS"].clone()).unwrap();
        assert_eq!(sums.lines().count(), release.len() - 1);
        for line in sums.lines() {
            let (sum, name) = line.split_once("  ").unwrap();
            assert_eq!(sum, image::hex(&release[name]), "{name}");
        }
        let digest = image.digest().replace("sha256:", "sha256: ");
        let manifests = files_in(&unpacked(&release["jwt-rbac-0.1.0-manifests.tar.gz"]));
        for name in ["base/mesh.yaml", "rendered/bookinfo.yaml", "rendered/chart.yaml"] {
            let text = &manifests[&format!("wasmplugin/{name}")];
            assert!(text.contains(&digest), "{name}: {text}");
            assert!(text.contains("url: oci://ghcr.io/team/jwt-rbac:0.1.0\n"), "{name}: {text}");
        }
        let chart = files_in(&unpacked(&release["jwt-rbac-0.1.0.tgz"]));
        assert!(chart["jwt-rbac/values.yaml"].contains(&digest));
        assert!(chart.contains_key("jwt-rbac/templates/plugins.yaml"));
        assert!(files_in_layout(&release["jwt-rbac-0.1.0-image.tar"]));
    }

    fn files_in_layout(archive: &[u8]) -> bool {
        let mut archive = tar::Archive::new(archive);
        let mut paths =
            archive.entries().unwrap().map(|it| it.unwrap().path().unwrap().into_owned());
        paths.any(|path| path == Path::new("oci-layout"))
    }

    /// A version that is written by hand is that of the workspace.
    #[test]
    fn the_manifests_name_this_version() {
        let version = crate::VERSION;
        let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
        for path in ["wasmplugin/base/mesh.yaml", "wasmplugin/chart/values.yaml"] {
            assert!(read(path).contains(&format!("{URL}{version}\n")), "{path}");
        }
        let chart = read("wasmplugin/chart/Chart.yaml");
        assert!(chart.contains(&format!("\nversion: {version}\nappVersion: {version}\n")));
    }
}
