//! The image of the module, in the form that Istio's agent fetches (istio `pkg/wasm/imagefetcher.go`): one
//! manifest and no index, one layer, and in it the file `plugin.wasm`.
//!
//! The same module gives the same bytes: no time, no user and no name of this machine is in them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The name by which Istio's agent finds the module in the layer.
const FILE: &str = "plugin.wasm";

/// What the annotations of an image say (the keys are those of the OCI image specification).
#[derive(Clone, Debug)]
pub struct About {
    /// The version of the product.
    pub version: String,
    /// Where its source is, if that is known.
    pub source: Option<String>,
}

/// An image: its parts as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    layer: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
    version: String,
}

impl Image {
    /// The image of a module.
    ///
    /// # Errors
    /// Those of compressing it, which does not write to a file.
    pub fn new(module: &[u8], about: &About) -> io::Result<Self> {
        let archive = archive(module)?;
        // The header of gzip holds a time and a name only if it is told one.
        let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        encoder.write_all(&archive)?;
        let layer = encoder.finish()?;
        let annotations = annotations(about);
        let config = json!({
            // The machine is not looked at for a single manifest; from an index, into which a registry
            // may put it, Istio takes this one on every machine.
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": annotations},
            "rootfs": {"type": "layers", "diff_ids": [digest(&archive)]},
            "history": [{"created_by": format!("COPY {FILE} /{FILE}")}],
        });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": [descriptor(LAYER, &layer)],
            "annotations": annotations,
        });
        let manifest = manifest.to_string().into_bytes();
        Ok(Self { layer, config, manifest, version: about.version.clone() })
    }

    /// The digest of the manifest, which names the image.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// Its files as an OCI image layout: the path of each below the directory, and what it holds.
    #[must_use]
    pub fn layout(&self) -> Vec<(String, Vec<u8>)> {
        let mut manifest = descriptor(MANIFEST, &self.manifest);
        manifest["annotations"] = json!({"org.opencontainers.image.ref.name": self.version});
        let index = json!({"schemaVersion": 2, "manifests": [manifest]});
        let files = [
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), index.to_string().into_bytes()),
        ];
        let blobs = [&self.config, &self.layer, &self.manifest]
            .map(|blob| (format!("blobs/{}", digest(blob).replace(':', "/")), blob.clone()));
        files.into_iter().chain(blobs).collect()
    }

    /// Writes the layout in the place of what is in the directory.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        for (path, bytes) in self.layout() {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}

fn annotations(about: &About) -> Value {
    let mut annotations = json!({
        "org.opencontainers.image.title": "jwt-rbac",
        "org.opencontainers.image.description":
            "Verifies JSON Web Tokens and decides which routes their permissions open",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": about.version,
    });
    if let Some(source) = &about.source {
        annotations["org.opencontainers.image.source"] = source.as_str().into();
    }
    annotations
}

/// The archive in the layer.
fn archive(module: &[u8]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, FILE, module)?;
    archive.into_inner()
}

/// Adds a file that has no owner and no time.
///
/// # Errors
/// Those of the writer.
pub fn append(archive: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    archive.append_data(&mut header, path, bytes)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// The SHA-256 of these bytes, as `sha256sum` writes it.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn image() -> Image {
        let source = Some("https://git.example.com/jwt-rbac".to_owned());
        Image::new(MODULE, &About { version: "1.2.3".to_owned(), source }).unwrap()
    }

    #[test]
    fn the_same_module_gives_the_same_image() {
        assert_eq!(image(), image());
        assert_eq!(
            image().digest(),
            "sha256:cd8636c61c03dafb48cb5492c27a73e13f06c3aad40ecdae718cefb1493c6ab1",
            "another digest than before: did a crate change what it writes?"
        );
    }

    #[test]
    fn the_layer_holds_the_module_and_nothing_else() {
        let image = image();
        let mut archive = tar::Archive::new(GzDecoder::new(image.layer.as_slice()));
        let mut files = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.push((entry.path().unwrap().display().to_string(), bytes));
        }
        assert_eq!(files, [(FILE.to_owned(), MODULE.to_vec())]);
    }

    /// Every part has the digest and the size by which another one names it.
    #[test]
    fn the_layout_is_whole() {
        let layout = image().layout();
        let file = |path: &str| &layout.iter().find(|(name, _)| name == path).unwrap().1;
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap();
            let blob = file(&format!("blobs/{}", digest.replace(':', "/")));
            assert_eq!(
                (super::digest(blob).as_str(), json!(blob.len())),
                (digest, descriptor["size"].clone())
            );
            blob
        };
        let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let index = json(file("index.json"));
        assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
        let manifest = json(blob(&index["manifests"][0]));
        let config = json(blob(&manifest["config"]));
        let layer = blob(&manifest["layers"][0]);
        let mut archive = Vec::new();
        GzDecoder::new(layer.as_slice()).read_to_end(&mut archive).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"], json!([super::digest(&archive)]));
        assert_eq!(manifest["annotations"]["org.opencontainers.image.version"], "1.2.3");
        assert_eq!(layout.len(), 5);
    }
}
