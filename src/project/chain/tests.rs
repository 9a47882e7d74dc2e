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
