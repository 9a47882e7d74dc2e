//! Which settings make a rail over Solana, and which do not.

use super::*;
use crate::project::RailSettings;

const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

fn settings(kind: &str, table: &str) -> Result<RailSettings, Error> {
    let text = format!("kind = {kind:?}\n{table}");
    toml::from_str::<RailSettings>(&text).expect("settings").checked()
}

fn table(more: &str, url: &str) -> String {
    let provider = format!("{{ name = \"one\", url = {url:?} }}");
    format!("[solana]\nkey = \"till.json\"\nproviders = [{provider}]\n{more}\n")
}

/// A folder with a key file, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, mode: u32) -> Self {
        let dir = std::env::temp_dir().join(format!("divvy-chain-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a folder");
        let seed = [7; 32];
        let public = *Keypair::from_seed(&seed).address().bytes();
        let file = dir.join("till.json");
        fs::write(&file, format!("{:?}", [seed, public].concat())).expect("a key");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(&file, mode).expect("rights");
        }
        Self(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_kind_and_its_table_come_together() {
    let solana = table("", "https://one.example");
    for (kind, table, fits) in [
        ("sandbox", "", true),
        ("solana", solana.as_str(), true),
        ("solana", "", false),
        ("sandbox", solana.as_str(), false),
        ("bitcoin", "", false),
    ] {
        assert_eq!(settings(kind, table).is_ok(), fits, "{kind} {table}");
    }
}

#[test]
fn the_rail_is_made_of_the_table_and_of_a_key_that_nobody_else_reads() {
    let (private, open) = (Folder::new("private", 0o600), Folder::new("open", 0o644));
    let (usdc, sol) = (Asset::parse("USDC@6").expect("usdc"), Asset::parse("SOL@9").expect("sol"));
    let mint = format!("mint = {USDC:?}");
    let made = |more: &str, url: &str, asset: &Asset, folder: &Folder| {
        let rail = settings("solana", &table(more, url)).expect("a rail");
        let wallet = rail.solana.expect("a wallet");
        wallet.rail(&folder.0, asset, 300).map_err(|error| error.code())
    };
    let good = "https://one.example";
    let rail = made(&mint, good, &usdc, &private).expect("a rail");
    assert_eq!(rail.wallet().as_str(), "GmaDrppBC7P5ARKV8g3djiwP89vz1jLK23V2GBjuAEGB");
    assert_eq!((rail.name().as_str(), rail.timing().deadline_secs_max), ("solana", 300));
    assert!(made("", good, &sol, &private).is_ok());
    for (more, url, asset, folder, code) in [
        ("", good, &usdc, &private, Code::InputMalformed),
        (&mint, good, &usdc, &open, Code::FileUnusable),
        (&mint, "https://one.example/?key=secret", &usdc, &private, Code::RailRefused),
        ("mint = \"usdc\"", good, &usdc, &private, Code::AddressMalformed),
    ] {
        let refused = made(more, url, asset, folder).err();
        assert_eq!(refused, Some(code), "{more} {url}");
    }
}

/// A signer written for a shell: what it is told to write, whatever it is asked.
#[cfg(unix)]
fn signer(says: &str) -> CommandSigner {
    let key = Keypair::from_seed(&[7; 32]);
    let command = ["sh", "-c", says].map(str::to_owned);
    CommandSigner::new(key.address(), &command, &std::env::temp_dir()).expect("a signer")
}

#[cfg(unix)]
#[test]
fn a_command_signs_what_it_gets_and_is_believed_in_base58_alone() {
    let signature = Keypair::from_seed(&[7; 32]).sign(b"message");
    let good = signer(&format!("test \"$(cat)\" = message && echo {signature}"));
    assert_eq!(good.sign(b"message"), Ok(signature));
    for (says, why) in [
        ("cat > /dev/null; exit 3", "declined"),
        ("cat > /dev/null; echo signature", "no signature"),
        ("exit 0", "no signature"),
    ] {
        let error = signer(says).sign(b"message").expect_err(says);
        assert_eq!(error.code(), Code::RailRefused);
        assert!(error.to_string().contains(why), "{error}");
    }
    // One that never ends is not waited for, and is ended.
    for says in ["exec tail -f /dev/null", "exec tail -f /dev/null > /dev/null"] {
        let mut slow = signer(says);
        slow.wait = core::time::Duration::from_millis(200);
        assert!(slow.sign(b"message").expect_err(says).to_string().contains("too long"));
    }
    let none = CommandSigner::new(Address::new([1; 32]), &[], Path::new("."));
    assert_eq!(none.expect_err("no command").code(), Code::InputMalformed);
}

#[test]
fn a_key_or_a_signer_and_its_wallet() {
    let folder = Folder::new("signer", 0o600);
    let sol = Asset::parse("SOL@9").expect("sol");
    let wallet = Keypair::from_seed(&[9; 32]).address().to_string();
    let named = format!("signer = [\"sign\"]\nwallet = {wallet:?}");
    for (more, fits) in [
        (named.as_str(), true),
        ("key = \"till.json\"", true),
        ("signer = [\"sign\"]", false),
        (&format!("key = \"till.json\"\n{named}"), false),
        ("", false),
    ] {
        let text =
            format!("{more}\nproviders = [{{ name = \"one\", url = \"https://one.example\" }}]");
        let settings: SolanaWallet = toml::from_str(&text).expect("settings");
        let rail = settings.rail(&folder.0, &sol, 300);
        assert_eq!(rail.is_ok(), fits, "{more}");
        if let Some(rail) = rail.ok().filter(|_| more.starts_with("signer")) {
            assert_eq!(rail.wallet().as_str(), wallet);
        }
    }
}

#[test]
fn a_providers_key_goes_to_the_sender_and_is_named_by_the_rail() {
    let (private, open) = (Folder::new("keys", 0o600), Folder::new("keys-open", 0o644));
    let provider = |more: &str| -> SolanaProvider {
        let text = format!("name = \"one\"\nurl = \"https://one.example/rpc\"\n{more}");
        toml::from_str(&text).expect("a provider")
    };
    assert!(provider("").credential(&private.0).expect("none").is_none());
    for (more, folder, shown) in [
        ("key_file = \"till.json\"", &private, Ok("authorization")),
        ("key_file = \"till.json\"\nkey_header = \"x-token\"", &private, Ok("x-token")),
        ("key_file = \"till.json\"\nkey_query = \"api-key\"", &private, Ok("api-key")),
        ("key_file = \"till.json\"", &open, Err(Code::FileUnusable)),
        ("key_env = \"DIVVY_NO_SUCH_KEY\"", &private, Err(Code::InputMalformed)),
        ("key_header = \"x-token\"", &private, Err(Code::InputMalformed)),
        ("key_file = \"till.json\"\nkey_env = \"K\"", &private, Err(Code::InputMalformed)),
    ] {
        let one = provider(more);
        let credential = one.credential(&folder.0).map_err(|error| error.code());
        let credential = credential.map(|found| format!("{:?}", found.expect("a key")));
        assert_eq!(credential.as_ref().err(), shown.err().as_ref(), "{more}");
        if let (Ok(said), Ok(shown)) = (&credential, shown) {
            assert!(said.contains(shown) && !said.contains("[7, 7"), "{said}");
            assert!(one.provider().is_ok());
        }
    }
}
