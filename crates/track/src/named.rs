//! Enums whose values have a name for outputs and a meaning for the documentation, said once, where they are declared.

macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[doc = $doc:literal])+ $variant:ident $name:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum $type { $($(#[doc = $doc])+ $variant),* }

        impl $type {
            /// Every value, in declaration order.
            pub const ALL: &'static [$type] = &[$($type::$variant),*];

            /// The spelling in every output.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name),* }
            }

            /// What it says, as in this documentation.
            pub const fn meaning(self) -> &'static str {
                match self { $($type::$variant => concat!($($doc),+).trim_ascii_start()),* }
            }
        }
    };
}

pub(crate) use named;
