//! A `pluginConfig`.

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::worker::Worker;

use crate::asked;

/// Fails if this document gets two answers, or one without a reason.
pub fn check(input: &[u8]) {
    let compile = || jwt_rbac_config::compile(input, &mut RustCrypto);
    let document = match (compile(), compile()) {
        (Ok((document, one)), Ok((_, other))) => {
            assert_eq!(format!("{:?}", one.warnings), format!("{:?}", other.warnings));
            document
        }
        (Err(one), Err(other)) => {
            assert!(!one.errors.is_empty(), "refused without a reason");
            for problem in &one.errors {
                let line = problem.to_string();
                assert!(!line.trim().is_empty());
            }
            assert_eq!(format!("{:?}", one.errors), format!("{:?}", other.errors));
            return;
        }
        _ => panic!("the document is taken and refused"),
    };
    let mut worker = Worker::new(&document);
    for target in ["/", "/a/b?access_token=a.b.c", "/admin/x", "//x/..;/%2e", "/reviews/7"] {
        for lines in
            [&[][..], &[(&b"authorization"[..], &b"Bearer a.b.c"[..]), (b"cookie", b"session=x")]]
        {
            let lines = asked::get(target.as_bytes(), lines);
            asked::ask(&document, &mut worker, &lines, |_, decision| {
                assert!(decision.identity.is_none(), "nobody has signed a token");
            });
        }
    }
}
