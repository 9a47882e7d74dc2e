//! Pictures of money over time, as SVG whose colours the page chooses.

use divvy_core::{Amount, Asset};
use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::calendar::{Moved, Stretches};
use crate::report::grouped;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// What came and what went, stretch by stretch.
    Flows,
    /// What came and what was paid until then.
    Sums,
}

/// A picture for wide screens and one for narrow ones; the page shows whichever fits.
pub(super) fn chart(subject: Subject, stretches: &Stretches, asset: &Asset, about: &str) -> Markup {
    let picture = |class: &str, size: (u32, u32), labels_max: usize| {
        let chart = Chart { subject, stretches, asset, size, labels_max };
        let mut svg = String::new();
        // Text cannot refuse to be written; a picture that fails all the same is left out.
        let drawn = chart.draw(&mut svg).is_ok();
        let inner = inside(&svg).filter(|_| drawn).unwrap_or_default();
        let view = format!("0 0 {} {}", size.0, size.1);
        html! {
            svg class={"chart " (class)} viewBox=(view) role="img" aria-label=(about) {
                (PreEscaped(inner))
            }
        }
    };
    html! { (picture("wide", (720, 270), 10)) (picture("narrow", (270, 230), 3)) }
}

struct Chart<'a> {
    subject: Subject,
    stretches: &'a Stretches,
    asset: &'a Asset,
    size: (u32, u32),
    labels_max: usize,
}

/// A bar is so wide, its gap included.
const BAR: i64 = 100;

/// Beyond this, amounts are drawn in tens, hundreds and so on: arithmetic on an axis must not wrap.
const DRAWN_MAX: i64 = 1_000_000_000_000_000;

// Colours that stand for those of the page, which differ in light, dark and print.
const CAME: RGBColor = RGBColor(0, 160, 1);
const OUT: RGBColor = RGBColor(0, 160, 2);
const BACK: RGBColor = RGBColor(0, 160, 3);
const GRID: RGBColor = RGBColor(0, 160, 4);
const INK: RGBColor = RGBColor(0, 160, 5);
const NAMES: [(&str, &str); 5] = [
    ("#00A001", "var(--came)"),
    ("#00A002", "var(--paid)"),
    ("#00A003", "var(--back)"),
    ("#00A004", "var(--line)"),
    ("#00A005", "var(--soft)"),
];

type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

impl Chart<'_> {
    fn draw<'s>(&self, svg: &'s mut String) -> Drawn<'s> {
        let root = SVGBackend::with_string(svg, self.size).into_drawing_area();
        let scale = self.scale();
        let bars: Vec<Moved> =
            self.stretches.bars.iter().map(|(_, moved)| moved.drawn(scale)).collect();
        let (low, high) = self.ends(&bars);
        let room = i64::try_from(bars.len()).unwrap_or(1).saturating_mul(BAR);
        let mut chart = ChartBuilder::on(&root)
            .margin_top(10)
            .margin_right(4)
            .x_label_area_size(26)
            .y_label_area_size(50)
            .build_cartesian_2d(0..room, low..high)?;
        let format = |minor: &i64| self.label(minor.saturating_mul(scale));
        chart
            .configure_mesh()
            .disable_x_mesh()
            // Stretches are labelled below: an axis of numbers knows no dates.
            .x_labels(2)
            .x_label_formatter(&|_| String::new())
            .y_labels(6)
            .y_label_formatter(&format)
            .axis_style(TRANSPARENT)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 15).into_font().color(&INK))
            .draw()?;
        match self.subject {
            Subject::Flows => {
                for (at, moved) in (0..).zip(&bars) {
                    chart.draw_series(columns(at, moved))?;
                }
                chart.draw_series([PathElement::new(vec![(0, 0), (room, 0)], INK)])?;
            }
            Subject::Sums => {
                let (came, out) = (line(&bars, Moved::stayed), line(&bars, |moved| moved.out));
                chart.draw_series(AreaSeries::new(came.clone(), 0, CAME.mix(0.12)))?;
                chart.draw_series(LineSeries::new(came, CAME.stroke_width(2)))?;
                chart.draw_series(AreaSeries::new(out.clone(), 0, OUT.mix(0.25)))?;
                chart.draw_series(LineSeries::new(out, OUT.stroke_width(2)))?;
            }
        }
        let under = |at: usize| {
            let at = i64::try_from(at).unwrap_or(0).saturating_mul(BAR);
            chart.backend_coord(&(at.saturating_add(MIDDLE), low))
        };
        self.label_stretches(&root, under)
    }

    fn label_stretches<'s>(
        &self,
        root: &DrawingArea<SVGBackend<'s>, Shift>,
        under: impl Fn(usize) -> (i32, i32),
    ) -> Drawn<'s> {
        let count = self.stretches.bars.len();
        let every = count.div_ceil(self.labels_max.max(1)).max(1);
        let style = ("sans-serif", 15).into_font().color(&INK);
        let style = style.pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Center,
            plotters::style::text_anchor::VPos::Top,
        ));
        for (at, (begin, _)) in self.stretches.bars.iter().enumerate().step_by(every) {
            let (x, y) = under(at);
            let label = self.stretches.step.label(*begin);
            root.draw_text(&label, &style, (x, y.saturating_add(8)))?;
        }
        Ok(())
    }

    /// The ends of the axis, with a little air.
    fn ends(&self, bars: &[Moved]) -> (i64, i64) {
        let (low, high) = match self.subject {
            Subject::Flows => {
                let below = |moved: &Moved| moved.out.saturating_add(moved.back);
                (bars.iter().map(below).max(), bars.iter().map(|moved| moved.came).max())
            }
            Subject::Sums => (None, line(bars, Moved::stayed).into_iter().map(|(_, y)| y).max()),
        };
        let air = |end: i64| end.saturating_add(end.checked_div(16).unwrap_or(0)).max(1);
        (low.map_or(0, |low| air(low).saturating_neg()), air(high.unwrap_or(1)))
    }

    fn scale(&self) -> i64 {
        let sum = self.stretches.bars.iter().map(|(_, moved)| moved.drawn(1));
        let most = sum.fold(0_i64, |sum, moved| {
            sum.saturating_add(moved.came).saturating_add(moved.out).saturating_add(moved.back)
        });
        let mut scale = 1_i64;
        while most.checked_div(scale).unwrap_or(0) > DRAWN_MAX {
            scale = scale.saturating_mul(10);
        }
        scale
    }

    /// An amount beside the axis, as short as it gets.
    fn label(&self, minor: i64) -> String {
        let text = Amount::new(minor.unsigned_abs())
            .map_or_else(|_| String::new(), |amount| short(&self.asset.text(amount)));
        if minor < 0 { format!("−{text}") } else { text }
    }
}

/// The middle of a bar.
const MIDDLE: i64 = 50;

impl Moved {
    /// As it is drawn: what was undone in another stretch cannot be less than nothing.
    fn drawn(&self, scale: i64) -> Self {
        let scaled = |minor: i64| minor.max(0).checked_div(scale).unwrap_or(0);
        Self { came: scaled(self.came), back: scaled(self.back), out: scaled(self.out) }
    }

    const fn stayed(&self) -> i64 {
        self.came.saturating_sub(self.back)
    }
}

/// What came above the line, what went below it.
fn columns(at: i64, moved: &Moved) -> Vec<Rectangle<(i64, i64)>> {
    let left = at.saturating_mul(BAR);
    let (from, to) = (left.saturating_add(14), left.saturating_add(86));
    let down = moved.out.saturating_neg();
    let further = down.saturating_sub(moved.back);
    let parts = [(0, moved.came, CAME), (0, down, OUT), (down, further, BACK)];
    let some = parts.into_iter().filter(|(begin, end, _)| begin != end);
    some.map(|(begin, end, of)| Rectangle::new([(from, begin), (to, end)], of.filled())).collect()
}

/// A running sum, from nothing on.
fn line(bars: &[Moved], of: impl Fn(&Moved) -> i64) -> Vec<(i64, i64)> {
    let mut sum = 0_i64;
    let points = (0_i64..).zip(bars).map(|(at, moved)| {
        sum = sum.saturating_add(of(moved));
        (at.saturating_mul(BAR).saturating_add(MIDDLE), sum.max(0))
    });
    std::iter::once((0, 0)).chain(points).collect()
}

/// What stands between the outer tags, in the colours of the page.
fn inside(svg: &str) -> Option<String> {
    let body = svg.get(svg.find('>')?.saturating_add(1)..svg.rfind("</svg>")?)?;
    let recolour = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    Some(NAMES.iter().fold(body.to_owned(), recolour))
}

/// 1,500,000.00 as 1.5M.
fn short(text: &str) -> String {
    let (whole, rest) = text.find('.').map_or((text, ""), |at| text.split_at(at));
    for (zeros, letter) in [(9, "B"), (6, "M"), (3, "k")] {
        let at = whole.len().saturating_sub(zeros);
        if whole.len() > zeros.max(4) {
            let (most, least) = whole.split_at(at);
            let tenth = least.get(..1).filter(|digit| *digit != "0");
            let tenth = tenth.map_or_else(String::new, |digit| format!(".{digit}"));
            return format!("{}{tenth}{letter}", grouped(most));
        }
    }
    let rest = rest.trim_end_matches('0');
    format!("{}{}", grouped(whole), if rest == "." { "" } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_beside_an_axis_are_short() {
        for (text, shown) in [
            ("0.00", "0"),
            ("12.50", "12.5"),
            ("9000.00", "9,000"),
            ("15000.00", "15k"),
            ("1500000", "1.5M"),
            ("92233720368.54", "92.2B"),
        ] {
            assert_eq!(short(text), shown);
        }
    }
}
