//! The report in a real browser: at the widths of phones and desks, light and dark.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::{Folder, done};
use crate::readers_are_asked;

/// A book with everything that a report shows, and names that would like to be markup.
fn lively() -> Folder {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "{ payee = \"collaborator\"", "{ pool = \"fans\"");
    let pool = "[pool]\nname = \"fans\"\nsupply = \"10\"\nholders = \"holders.csv\"\n[payments]";
    folder.edit("divvy.toml", "[payments]", pool);
    let long = "somebody-with-a-very-long-name-and-no-space-in-it-at-all@pay.example.org";
    let holders = format!(
        "holder,units,destination\n<img src=x onerror=document.title=1>,5,\n{long},3,\n\
         dilara,2,refuse:dilara\n"
    );
    folder.write("holders.csv", holders);
    done(&["run", dir]);
    done(&["refund", "sale-01", "--amount", "9.00", "--id", "re-1", "--dir", dir]);
    done(&["seal", dir]);
    folder
}

fn report(folder: &Folder, more: &[&str]) -> String {
    let (dir, file) = (folder.path().to_str().unwrap(), folder.path().join("report.html"));
    let base = ["report", dir, "--out", file.to_str().unwrap()];
    done(&[&base[..], more].concat());
    fs::read_to_string(file).unwrap()
}

#[test]
fn a_report_is_one_file_whose_data_is_text() {
    let folder = lively();
    let page = report(&folder, &[]);
    assert!(page.contains("&lt;img src=x"), "a name is text");
    for foreign in ["<img", "<script", "http:", "https:", "url(", "@import", "src="] {
        let shown = page.replace("&lt;img src=x", "");
        assert!(!shown.contains(foreign), "{foreign} leads somewhere else");
    }
    let public = report(&folder, &["--hide-names"]);
    assert!(!public.contains("dilara") && !public.contains("pay.example.org"), "nobody is named");
    assert!(public.contains("No. 1"));
}

#[test]
fn a_report_fits_phones_and_desks_in_light_and_dark() {
    if !readers_are_asked() {
        return;
    }
    let folder = lively();
    let page = report(&folder, &[]);
    for (scheme, setting) in [("light", "1"), ("dark", "0")] {
        for width in [320, 360, 768, 1280] {
            let seen = look(&folder, &page, width, setting);
            let at = format!("{scheme}, {width} px: {seen}");
            assert_eq!(seen["overflow"], 0, "{at}");
            let charts = seen["charts"].as_array().unwrap();
            assert_eq!(charts.len(), 2, "{at}");
            for chart in charts {
                assert!(chart["shapes"].as_u64().unwrap() > 3, "{at}");
                assert!(chart["width"].as_u64().unwrap() * 2 > width, "{at}");
                assert!(chart["text"].as_u64().unwrap() >= 10, "labels can be read: {at}");
                assert!(chart["about"].as_u64().unwrap() > 40, "{at}");
            }
            assert_eq!(seen["faint"], Value::Array(Vec::new()), "{at}");
            assert_eq!(seen["title"], "duet: where the money is", "{at}");
            assert_eq!(seen["dark"], scheme == "dark", "{at}");
        }
    }
}

/// What a browser makes of a page in a frame so wide.
fn look(folder: &Folder, page: &str, width: u64, scheme: &str) -> Value {
    let text = serde_json::to_string(page).unwrap().replace("</", "<\\/");
    let probe = PROBE.replace("WIDTH", &width.to_string()).replace("PAGE", &text);
    let file = folder.write("probe.html", probe);
    let profile = folder.path().join("profile");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .args(["--window-size=1600,1200", "--virtual-time-budget=3000"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", Path::new(&file).display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let seen = dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    assert!(seen.is_some(), "the browser saw nothing: {dom:.500}");
    let seen = seen.unwrap().replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    serde_json::from_str(&seen).unwrap()
}

/// A page that looks at another one: how far it runs over, what its pictures hold, and which text
/// is too faint (WCAG 2.2, 1.4.3: a contrast of 4.5, or 3 for large text).
const PROBE: &str = r#"<!doctype html><meta charset="utf-8"><body>
<iframe id="frame" style="width:WIDTHpx;height:3000px;border:0"></iframe><script>
const frame = document.getElementById("frame");
const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const rgb = text => text.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ground = e => {
  for (; e; e = e.parentElement) {
    const c = rgb(frame.contentWindow.getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c;
  }
  return [255, 255, 255];
};
frame.onload = () => {
  const page = frame.contentDocument, view = frame.contentWindow;
  const shown = e => e.getClientRects().length > 0;
  const charts = [...page.querySelectorAll("svg.chart")].filter(shown).map(svg => ({
    shapes: [...svg.querySelectorAll("rect, polyline, polygon, line")]
      .filter(s => { const b = s.getBBox(); return b.width + b.height > 0; }).length,
    width: Math.round(svg.getBoundingClientRect().width),
    text: Math.round(Math.min(...[...svg.querySelectorAll("text")].map(t =>
      parseFloat(view.getComputedStyle(t).fontSize) * svg.getBoundingClientRect().width
        / svg.viewBox.baseVal.width))),
    about: svg.getAttribute("aria-label").length,
  }));
  const faint = [];
  const texts = "h1, h2, p, strong, th, td, dt, code, caption, summary, li, span, footer";
  for (const e of page.querySelectorAll(texts)) {
    if (!shown(e) || !e.textContent.trim()) continue;
    const style = view.getComputedStyle(e);
    const [a, b] = [light(rgb(style.color)), light(ground(e))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < (large ? 3 : 4.5)) faint.push(e.textContent.trim().slice(0, 20));
  }
  const wide = page.documentElement.scrollWidth - page.documentElement.clientWidth;
  const seen = { overflow: wide, charts, faint, title: page.title,
    dark: view.matchMedia("(prefers-color-scheme: dark)").matches };
  const pre = document.createElement("pre");
  pre.id = "seen";
  pre.textContent = JSON.stringify(seen);
  frame.remove();
  document.body.append(pre);
};
frame.srcdoc = PAGE;
</script></body>"#;
