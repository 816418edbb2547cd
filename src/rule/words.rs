//! The closed vocabularies of the rule language. Their ids are part of the contract: rule files,
//! JSON output and callers use them.

macro_rules! words {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$doc:meta])* $variant:ident = $id:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The word as it stands in rule files and in output.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $id),* }
            }

            /// The reverse of [`as_str`](Self::as_str).
            pub fn from_id(id: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|word| word.as_str() == id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let id = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                $name::from_id(&id).ok_or_else(|| {
                    serde::de::Error::custom(format_args!("`{id}` is not a {}", stringify!($name)))
                })
            }
        }
    };
}

words! {
    /// The cause of an error, from a closed list. `rules/categories.yaml` defines each.
    Category {
        /// Too many requests or tokens per time.
        RateLimited = "rate_limited",
        /// Credit, billing period or hard quota used up.
        QuotaExhausted = "quota_exhausted",
        /// The service is at capacity for everyone.
        Overloaded = "overloaded",
        /// Bad, missing or expired credentials.
        AuthenticationFailed = "authentication_failed",
        /// Known, but not allowed; also region, entitlement, blocked account.
        PermissionDenied = "permission_denied",
        /// The thing asked for does not exist.
        NotFound = "not_found",
        /// The request itself is wrong.
        InvalidRequest = "invalid_request",
        /// Too large for a model's context, a field or a payload limit.
        InputTooLarge = "input_too_large",
        /// Refused by a content policy.
        ContentFiltered = "content_filtered",
        /// Concurrent change, duplicate key, exists already.
        Conflict = "conflict",
        /// No answer in time.
        Timeout = "timeout",
        /// Refused, reset, no route.
        ConnectionFailed = "connection_failed",
        /// A name did not resolve.
        DnsFailure = "dns_failure",
        /// Certificates, handshakes, protocol versions.
        TlsFailure = "tls_failure",
        /// The service failed in itself.
        ServerError = "server_error",
        /// Something behind the service failed: bad gateway, an upstream.
        DependencyFailure = "dependency_failure",
        /// Planned, shutting down, moved.
        Maintenance = "maintenance",
        /// Memory ran out.
        OutOfMemory = "out_of_memory",
        /// Disk space or a disk quota ran out.
        DiskFull = "disk_full",
        /// Descriptors, connections, threads, pools ran out.
        ResourceExhausted = "resource_exhausted",
        /// A program broke: panic, segmentation fault, unhandled exception.
        Crash = "crash",
        /// Data is damaged.
        DataCorruption = "data_corruption",
        /// Lock waits, deadlocks, serialization failures.
        Deadlock = "deadlock",
        /// A setting is wrong or missing.
        ConfigError = "config_error",
        /// Two parts do not fit together.
        VersionMismatch = "version_mismatch",
        /// A device is failing.
        HardwareFault = "hardware_fault",
        /// Ended from outside: a signal, an eviction.
        ProcessKilled = "process_killed",
        /// A model, API or version was withdrawn.
        Retired = "retired",
    }
}

words! {
    /// Who has to act.
    Who {
        /// Who sends the request: its code, its input.
        Caller = "caller",
        /// Who owns the account with the service: credit, plan, keys.
        Account = "account",
        /// Who runs the system that failed.
        Operator = "operator",
        /// Who runs the service that was called.
        Provider = "provider",
        /// Who runs what lies between.
        Network = "network",
    }
}

words! {
    /// How bad it is.
    Severity {
        /// Worth knowing.
        Info = "info",
        /// Something failed that usually mends itself or concerns one request.
        Warning = "warning",
        /// Something failed and will go on failing until somebody acts.
        Error = "error",
        /// Data, hardware or the whole service is at risk.
        Critical = "critical",
    }
}

words! {
    /// How far a rule is trusted.
    Status {
        /// Tested, sourced.
        Stable = "stable",
        /// Not yet proven.
        Experimental = "experimental",
        /// Still matches, on its way out.
        Deprecated = "deprecated",
        /// Counted among the matches; never wins, never removes another.
        Shadow = "shadow",
    }
}

words! {
    /// Whether a retry is worth it.
    RetryVerdict {
        /// The unchanged request cannot succeed.
        Never = "never",
        /// The unchanged request succeeds after somebody acted.
        OnceFixed = "once_fixed",
        /// Transient: retry with growing delays.
        Backoff = "backoff",
        /// Retry after a known wait.
        After = "after",
    }
}

words! {
    /// What a limit counts by: everything in the scope has to wait.
    Scope {
        /// This call alone.
        Call = "call",
        /// The key.
        Key = "key",
        /// The account.
        Account = "account",
        /// The model.
        Model = "model",
        /// The region.
        Region = "region",
    }
}

words! {
    /// What may work at once instead of a retry.
    Alternative {
        /// Another key.
        Key = "key",
        /// Another model.
        Model = "model",
        /// Another region.
        Region = "region",
        /// Another provider.
        Provider = "provider",
    }
}

words! {
    /// Where a rule comes from. Later layers win ties against earlier ones.
    Layer {
        /// Shipped with the library.
        Builtin = "builtin",
        /// From the vendor of a product.
        Vendor = "vendor",
        /// From one's organisation.
        Organisation = "organisation",
        /// One's own.
        User = "user",
    }
}

words! {
    /// The type of an extracted value.
    ValueType {
        /// Text.
        String = "string",
        /// A whole number.
        Integer = "integer",
        /// Bytes.
        Size = "size",
        /// A length of time.
        Duration = "duration",
        /// A point in time.
        Time = "time",
    }
}

words! {
    /// How sure a verdict is: a table over the tiers of a match.
    Confidence {
        /// A status class or a wrapper line alone.
        Weak = "weak",
        /// A generic phrase, a coarse code, an exact status.
        Likely = "likely",
        /// A service's own phrase, or a confirmed generic one.
        Strong = "strong",
        /// A code that names the cause.
        Exact = "exact",
    }
}

words! {
    /// The rank of a matched block, best first.
    Tier {
        /// A fine code and a text together.
        CodeAndText = "code+text",
        /// A fine code.
        Code = "code",
        /// A text of a rule that is attributed or gated to a service.
        ServiceText = "service_text",
        /// A generic text, or a generic typed code (errno, SQLSTATE).
        Text = "text",
        /// A code that covers many causes.
        CoarseCode = "coarse_code",
        /// An exact status, exit code or signal.
        Status = "status",
        /// A class of statuses.
        StatusClass = "status_class",
    }
}
