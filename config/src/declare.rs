//! How the schema is declared: each object once, with [`object!`], and each set of words with [`words!`].
//! From the declaration come the struct, its decoding, the JSON Schema and the tables of
//! docs/configuration.md.

/// Declares an object of the document.
///
/// Each field has its meaning as its comment, for the reference; its name in the document; an example, in
/// YAML, which a test compiles; and what is refused although it has the right type. A field of type
/// `Option` may be absent, one with a value behind `=` has that value then, and any other must be there.
/// `default` is what the reference shows where nothing of this says it, and `pattern` what a string, or
/// each string of a list, matches in the JSON Schema, where it is accepted.
macro_rules! object {
    (
        $(#[doc = $doc:literal])+
        $(#[derive($derive:ident)])?
        pub struct $object:ident {
            $(
                $(#[doc = $meaning:literal])+
                #[field(
                    $name:literal,
                    $(default = $shown:literal,)?
                    example = $example:literal
                    $(, refuses = $refuses:literal)?
                    $(, pattern = $pattern:literal)?
                )]
                pub $field:ident: $type:ty $(= $default:expr)?,
            )+
        }
        $(not implemented: $($future:literal),+;)?
        $(misplaced: $($misplaced:literal),+;)?
        $(refused: $($refused:literal $why:path),+;)?
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, $($derive)?)]
        #[allow(clippy::struct_excessive_bools, reason = "each is a field of the document")]
        pub struct $object {
            $($(#[doc = $meaning])+ pub $field: $type,)+
        }

        impl $crate::shape::Object for $object {
            const NAMES: $crate::shape::Names = $crate::shape::Names {
                fields: &[$($name),+],
                not_implemented: &[$($($future),+)?],
                misplaced: &[$($($misplaced),+)?],
                refused: &[$($(($refused, $why)),+)?],
            };

            fn read(fields: &mut $crate::shape::Fields<'_>) -> Self {
                Self { $($field: $crate::declare::read!(fields, $name $(, $default)?),)+ }
            }

            #[cfg(feature = "schema")]
            fn describe() -> $crate::reference::form::Object {
                use $crate::reference::form::{Field, Object};
                use $crate::declare::given;
                let mut fields = Vec::new();
                $(
                    let default = given![$(concat!("`", stringify!($default), "`"))?];
                    fields.push(Field {
                        name: $name,
                        meaning: &[$($meaning),+],
                        default: given![$($shown)?].or(default),
                        example: $example,
                        refuses: given![$($refuses)?],
                        pattern: given![$($pattern)?],
                        form: $crate::declare::form!($type $(, $default)?),
                        is_required: $crate::declare::is_required!($type $(, $default)?),
                    });
                )+
                Object { name: stringify!($object), doc: &[$($doc),+], fields }
            }
        }
    };
}

/// Takes a field, which is required or optional by its type, or has a default.
macro_rules! read {
    ($fields:ident, $name:literal) => {
        $fields.read($name)
    };
    ($fields:ident, $name:literal, $default:expr) => {
        $fields.optional($name).unwrap_or($default)
    };
}

/// What a declaration may say, as an `Option`.
#[cfg(feature = "schema")]
macro_rules! given {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

#[cfg(feature = "schema")]
macro_rules! form {
    ($type:ty) => {
        <$type as $crate::shape::FromField>::form()
    };
    ($type:ty, $default:expr) => {
        <$type as $crate::shape::value::FieldValue>::form()
    };
}

#[cfg(feature = "schema")]
macro_rules! is_required {
    ($type:ty) => {
        <$type as $crate::shape::FromField>::IS_REQUIRED
    };
    ($type:ty, $default:expr) => {
        false
    };
}

/// Declares how the values of an enum are written.
macro_rules! words {
    ($($type:ty { $($value:ident $word:literal),+ })+) => {$(
        impl $crate::shape::value::FieldValue for $type {
            fn from_value(value: serde_json::Value) -> Result<Self, $crate::shape::value::Misfit> {
                const VALUES: &[$type] = &[$(<$type>::$value),+];
                let number = $crate::shape::value::word(value, &[$($word),+])?;
                VALUES.get(number).copied().ok_or($crate::shape::value::Misfit::Elements(Vec::new()))
            }

            #[cfg(feature = "schema")]
            fn form() -> $crate::reference::form::Form {
                $crate::reference::form::Form::Words(&[$($word),+])
            }
        }
    )+};
}

#[cfg(feature = "schema")]
pub(crate) use {form, given, is_required};
pub(crate) use {object, read, words};
