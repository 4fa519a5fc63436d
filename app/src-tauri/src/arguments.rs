use std::path::{Path, PathBuf};

const USAGE: &str = "Usage: foldspace-app [--profile NAME] [--folder PATH]";

/// The command line with which the application was started.
#[derive(Debug, Default, PartialEq)]
pub struct Arguments {
    /// Instances with different profiles share nothing.
    pub profile: Option<String>,
    /// The folder whose space the first window opens.
    pub folder: Option<PathBuf>,
}

impl Arguments {
    /// Reads the arguments without the program's name. `default_profile` applies if they name no profile. Paths are relative
    /// to `current_folder`.
    pub fn parse(
        args: impl IntoIterator<Item = String>,
        default_profile: Option<String>,
        current_folder: &Path,
    ) -> Result<Self, String> {
        let mut parsed = Self {
            profile: default_profile.filter(|name| !name.is_empty()),
            folder: None,
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            let mut value = || {
                let value = value.clone().or_else(|| args.next());
                value.ok_or_else(|| format!("{name} needs a value. {USAGE}"))
            };
            match name {
                "--profile" => parsed.profile = Some(value()?),
                "--folder" => parsed.folder = Some(current_folder.join(value()?)),
                _ => return Err(format!("{arg} is not an option. {USAGE}")),
            }
        }
        match &parsed.profile {
            Some(name) if !is_profile_name(name) => Err(format!(
                "A profile's name consists of at most 40 letters, digits and hyphens; “{name}” does not."
            )),
            _ => Ok(parsed),
        }
    }
}

/// The name becomes a part of folder names, and of the name by which instances find each other.
fn is_profile_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !name.is_empty() && name.len() <= 40 && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str], default_profile: Option<&str>) -> Result<Arguments, String> {
        let args = args.iter().map(|arg| (*arg).to_owned());
        Arguments::parse(
            args,
            default_profile.map(str::to_owned),
            Path::new("/home/ann"),
        )
    }

    #[test]
    fn both_are_optional_and_take_their_value_in_either_way() {
        assert_eq!(parse(&[], None), Ok(Arguments::default()));
        let work = Arguments {
            profile: Some("work".into()),
            folder: Some("/home/ann/Notes".into()),
        };
        assert_eq!(
            parse(&["--profile", "work", "--folder", "Notes"], None).unwrap(),
            work
        );
        assert_eq!(
            parse(&["--folder=/home/ann/Notes", "--profile=work"], None).unwrap(),
            work
        );
    }

    #[test]
    fn a_profile_in_the_arguments_wins_over_that_of_the_environment() {
        assert_eq!(
            parse(&[], Some("home")).unwrap().profile,
            Some("home".into())
        );
        assert_eq!(parse(&[], Some("")).unwrap().profile, None);
        assert_eq!(
            parse(&["--profile=work"], Some("home")).unwrap().profile,
            Some("work".into())
        );
    }

    #[test]
    fn invalid_arguments_are_refused() {
        for args in [
            &["--profil=work"][..],
            &["Notes"],
            &["--folder"],
            &["--profile=../x"],
            &["--profile="],
        ] {
            assert!(parse(args, None).is_err(), "{args:?}");
        }
    }
}
