//! What later layers work out about an instance once and use many times.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Instance;

/// Values by their type.
#[derive(Default)]
pub(super) struct Memo(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

impl Instance {
    /// The value of a type that belongs to this instance: made by `make` the first time it is asked for.
    pub fn remember<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        let key = TypeId::of::<T>();
        let lock = || self.memo.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&key).cloned();
        if let Some(value) = known.and_then(|value| value.downcast().ok()) {
            return value;
        }
        // Not under the lock: `make` may ask for other values.
        let made: Arc<T> = Arc::new(make(self));
        lock().insert(key, Arc::clone(&made) as _);
        made
    }
}
