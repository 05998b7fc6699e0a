//! Requests that wait for the first keys of their token's issuer.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use jwt_rbac::authz::Permit;

use crate::metrics;

/// How many requests of one plugin wait on one worker; further ones are refused.
const MAX_WAITING: usize = 1_000;

/// The requests of one plugin that wait.
#[derive(Default)]
pub struct Waiting(RefCell<Vec<Weak<WaitingRequest>>>);

/// A request that waits, or has waited.
pub struct WaitingRequest {
    /// What Envoy calls it.
    pub context_id: u32,
    /// When it can wait no longer, in milliseconds of [`crate::keys::now`].
    pub deadline: u64,
    /// Once it may continue.
    pub permit: OnceCell<Permit>,
    is_waiting: Cell<bool>,
}

impl Waiting {
    /// Lets a request wait; `None` if too many do.
    pub fn add(&self, context_id: u32, deadline: u64) -> Option<Rc<WaitingRequest>> {
        let mut requests = self.0.try_borrow_mut().ok()?;
        if requests.len() >= MAX_WAITING {
            requests.retain(|request| request.strong_count() > 0);
        }
        if requests.len() >= MAX_WAITING {
            return None;
        }
        let (permit, is_waiting) = (OnceCell::new(), Cell::new(true));
        let request = Rc::new(WaitingRequest { context_id, deadline, permit, is_waiting });
        requests.push(Rc::downgrade(&request));
        metrics::change_waiting(1);
        Some(request)
    }

    /// Asks each request, in the order in which they came, whether it waits on, until `most` of them do
    /// not; takes those off `most`. Returns whether all were asked.
    pub fn retain(&self, most: &mut usize, waits_on: impl Fn(&WaitingRequest) -> bool) -> bool {
        let requests = self.0.try_borrow_mut().map(|mut requests| std::mem::take(&mut *requests));
        let mut requests = requests.unwrap_or_default();
        let mut all_asked = true;
        requests.retain(|request| {
            let Some(request) = request.upgrade() else { return false };
            let Some(fewer) = most.checked_sub(1) else {
                all_asked = false;
                return true;
            };
            let waits_on = waits_on(&request) || request.end();
            if !waits_on {
                *most = fewer;
            }
            waits_on
        });
        if let Ok(mut known) = self.0.try_borrow_mut() {
            requests.append(&mut known);
            *known = requests;
        }
        all_asked
    }

    /// When the first of them can wait no longer.
    pub fn next_deadline(&self) -> Option<u64> {
        let requests = self.0.try_borrow().ok()?;
        requests.iter().filter_map(|request| Some(request.upgrade()?.deadline)).min()
    }
}

impl WaitingRequest {
    /// It waits no longer.
    fn end(&self) -> bool {
        if self.is_waiting.replace(false) {
            metrics::change_waiting(-1);
        }
        false
    }
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        self.end();
    }
}
