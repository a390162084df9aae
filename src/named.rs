//! Enums whose variants have names: in the configuration, in the ledger, in JSON, on screens.

/// Declares an enum with a name for each variant, and what follows from the names: `NAMES`, `name`,
/// `Display`, `FromStr`, `Serialize` and `Deserialize`.
macro_rules! named {
    ($(#[$about:meta])* $vis:vis enum $Enum:ident {
        $($(#[$of:meta])* $Variant:ident = $name:literal,)+
    }) => {
        $(#[$about])*
        $vis enum $Enum {
            $($(#[$of])* $Variant,)+
        }

        impl $Enum {
            /// Every one with its name.
            pub const NAMES: [(&'static str, Self); [$($name),+].len()] =
                [$(($name, Self::$Variant)),+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $Enum {
            type Err = ();

            fn from_str(name: &str) -> Result<Self, ()> {
                let found = Self::NAMES.iter().find(|(known, _)| *known == name);
                found.map(|(_, one)| *one).ok_or(())
            }
        }

        impl serde::Serialize for $Enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $Enum {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<str>>::deserialize(from)?;
                let unknown = |()| serde::de::Error::unknown_variant(&name, &[$($name),+]);
                name.parse().map_err(unknown)
            }
        }
    };
}

pub(crate) use named;
