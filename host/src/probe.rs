//! Whether Envoy's `verify_signature` is there and right: it is tried with one good and one bad
//! signature for each kind of key and hash.
//!
//! A function that says yes to everything would let everybody in, and one that is not there must
//! be replaced. The keys were made with OpenSSL for this file and sign nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::Jwk;
use jwt_rbac::authn::signature::PreparedKey as _;

use crate::envoy_key::EnvoyKey;

/// What all the signatures are of.
const SIGNED: &[u8] = b"jwt-rbac";

/// Whether Envoy says yes to the good signature and no to the bad one.
pub fn is_right_about(algorithm: Algorithm) -> bool {
    let Some((jwk, signature)) = known(algorithm) else { return false };
    let key = Jwk::parse(&jwk, None).ok().and_then(|jwk| EnvoyKey::prepare(&jwk.key, algorithm));
    let (Some(key), Ok(good)) = (key, URL_SAFE_NO_PAD.decode(signature)) else { return false };
    let mut bad = good.clone();
    if let Some(last) = bad.last_mut() {
        *last ^= 1;
    }
    key.verify(SIGNED, &good) && !key.verify(SIGNED, &bad)
}

fn known(algorithm: Algorithm) -> Option<(Value, &'static str)> {
    let elliptic = |crv, x, y| json!({"kty": "EC", "crv": crv, "x": x, "y": y});
    let rsa = || json!({"kty": "RSA", "e": "AQAB", "n": RSA_MODULUS});
    Some(match algorithm {
        Algorithm::Es256 => (elliptic("P-256", P256_X, P256_Y), ES256),
        Algorithm::Es384 => (elliptic("P-384", P384_X, P384_Y), ES384),
        Algorithm::Es512 => (elliptic("P-521", P521_X, P521_Y), ES512),
        Algorithm::Rs256 => (rsa(), RS256),
        Algorithm::Rs384 => (rsa(), RS384),
        Algorithm::Rs512 => (rsa(), RS512),
        _ => return None,
    })
}

const RSA_MODULUS: &str = "0fJtOFW_-b-Rj7k1x2alySnrl8OQlE3fidAhnj3NJNg6mZwtVIqeIvcZp3zu_VNulD_nezCMRSAFl64aDhMUh4xj\
    jO1n-jGTfkXNIRWOD11hu8Au7yX8TeJ4Iw6LXbuHqTKYyTgpcVBIV0AL4IDtVTbPMsowLoleXcVe-4sT7cTR0EQB\
    1j0WhI67JYTWyCM8vSXfkO28jPui5nY16sS4Hycc5Cxe3E5GqRyd3lK27sjb6tTJ9n0h0alL6DS7Hjndg-U4a0hE\
    Cvo8kJEHRaew32a_Tzw2tB2AJcWB_szdSDZMYvnRAxoLVmDgA76GqcQqfNZXY7qSBRFwUBLlNL9ABQ";
const RS256: &str = "SEknPieYz7Bckw-ihGyLyb5-HS0QLWGtuRGQ8rIgRj0RZbVyQZRJg2IhT3zZ1Hu03s0p5TG6v92sOl6ZToJYMu7T\
    LnekxH-XXFJDYXWXxOCyMoStYbVFiw1ufRYI17EgIF0XsjA-XVxcFxjvsM1wgWtkpKfAVhez4hw_jwuB5I_9eQJt\
    OVWnRRG5xAHcU0874lBbfko9yy0hR7pQTiHeemso7pGPn2nUNDTk4l_Ku27AlxjxwYcrIDOXjQo5P1X8l7lnKHMQ\
    TBqY9TqweysNb7ZBpIoPA98l6RQcPacNZtCZ1j5eh3GutEr1KIB0SYnhZEkWdKR6Dr4iYz6GMGG1ow";
const RS384: &str = "EhBvldmn1i0LuQF9gDDwUvjwcPZCVfuAsXEM06y3g8E_GZaE6An8ALDwu3wewZe-UzPrRGbX8bY1x5wBnxk6leMW\
    NHXRyyy6fqCNBWoxxooUJH5hphHlQKuLhIqrLv1N9rDwwQYpl94-e2twumPLAvsSkpVCouChMjv5MCdYE53serBr\
    Ww4rS0WB9E7M5lo-jFtYAxWcxUd2Kxd6-or-pBYme2pcR7CPSAZVXXTP0ZsOoPpu1fGoKLjng2AMl6ugvp_tBF7U\
    1IPydoQRdPuJuF5XyrM1o7UaqfReYDFJ1nCxJHPbvPfUM5_UUVG2Nm-ya9LKY2XiSe_dzv4rbxyqqw";
const RS512: &str = "h-LwTHS3H4yxJn0DJNcJt9HouWfgVv4RVS_pPx7Xz9xF9s5W10h3z_RXxtmPPlxe7MAVJr0Btd4B1AqPuoEbItX0\
    Mmmbqwnkd87GiAW-xKKf16h2DpJHqH7kzNy0dYD-UetgrDzEaxct24826tYPn1Mntb_ulxqRSQBYxDMlsjHjchlS\
    Mw-g14MBXBWrLCzeZ5fVXWdqrk24JSxoMTFYYx_i4vJ74AncSqfa_aWeKzv6rmiR4jnDD3TMNpAm4G0c4C_sPBIb\
    euiFsv5Ve2wrs4d4vhap90g3jaZh6IdsRjGf0fqqnfgVonXMo6V6kfyvr4sQjfWDbkoA4BabplpXAQ";
const P256_X: &str = "RiGwhCI68yE22OcQbU4D_twZta8M1OsMvWROYQ-lh7Y";
const P256_Y: &str = "GGpoK12-efMY2n5uBBB81crDn4eWgeNs5pBg-vG_3f4";
const ES256: &str =
    "rf85Rq7Ea5MOLTVPAeQWF9okPrESaEHMs4w_EG0NwQPko46E8RswZ80gvWLAjCYVlMcXy6KGZaie4CaJMoM0Fw";
const P384_X: &str = "b78MvwMIqt6pF8c8XhbGXEouIR6aqj2bRPUCb9Tv9B9gRuitkJTH-imi3GUf9Q_W";
const P384_Y: &str = "7KBmPcrNehgzWa89aEFBm6My66f0xbQcaEkfUsWf5I81I22TGQ4GyJe0VMJCivj2";
const ES384: &str = "F4UdbKc_C73YG2ZrCvUsfSuqnKYN5fRCsUID4qFXd9jwBdVdCkBd25loarmyMq-sc48yu9MviY11Dr_g7pMKXmfu\
    DAQntJGitUcq_r5_YS8vrPx-nU8gR5pGZt6PAwTf";
const P521_X: &str =
    "AXV7hYQejD4xGgtHLl8IkoI4mBXsOt7utNvHg8hZjoBcbWlZqDqUvWzO96uUmmzDxYvL6DgZ_mKn_hPVKyNSo3dR";
const P521_Y: &str =
    "APFCLJAw1e9u26s2TTR5TLjYsbPIwyUYQ3mEho-wKNeEnF3F7mV-Xjj4jcWiMuF2nBBr04HtO3dptEHZ26MWTT2J";
const ES512: &str = "AXMta1zTR17Q_x2vj5CgiKucno_DZN-q29TfPfSbXihLBC2ND26tP-cdhX0kVNhOtHeLQAWzkAZlnIC6kiJposcE\
    Abdn8MB4Ot8YtDsFyKeF36di85JKDfwfN1vkl2-ky8pjmTKaZCZfUY0PbLyQXXsafLAs_MskIbQ8_yBlwsWsmZ4r";
