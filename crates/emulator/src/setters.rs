//! Setters of builders.

/// Adds methods to a builder that run their body and return the builder.
macro_rules! setters {
    ($builder:ident: $(
        $(#[$attribute:meta])*
        pub fn $name:ident($self:ident $(, $argument:ident: $type:ty)*) $body:block
    )+) => {
        impl $builder {$(
            $(#[$attribute])*
            pub fn $name(mut $self $(, $argument: $type)*) -> Self {
                $body
                $self
            }
        )+}
    };
}
pub(crate) use setters;
