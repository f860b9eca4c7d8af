//! Draws a chart as a PNG: shapes only, in colours that are seen on a light
//! page as on a dark one, the background left open. Where each shape stands is decided before, in
//! whole pixels; what it means is said by the words around.

use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};

use crate::notify::message::palette;

/// The size in pixels: two for each of the page's, so that it is crisp on a telephone.
pub(crate) const WIDTH: i16 = 1120;
/// Likewise.
pub(crate) const HEIGHT: i16 = 280;
/// What stays free at the edges, so that no line is cut.
pub(crate) const MARGIN: i16 = 12;

/// A place in the picture, from its left upper corner.
pub(crate) type Place = (i16, i16);

/// What is drawn, from the back to the front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// The color of the cost.
    pub color: Rgb,
    /// The cost at the known dates; at least two.
    pub line: Vec<Place>,
    /// Where it goes at this pace.
    pub ahead: Option<Place>,
    /// The height of the budget.
    pub budget: Option<i16>,
    /// The height of the step, where that is not the budget.
    pub step: Option<i16>,
    /// From the top to the foot of the band of what is usual.
    pub band: Option<(i16, i16)>,
}

/// A color by its red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub u8, pub u8, pub u8);

/// Of the budget, and of all that is no cost.
pub(crate) const GRAY: Rgb = Rgb(0x7d, 0x87, 0x93);
/// Of the step.
pub(crate) const VIOLET: Rgb = Rgb(0x9b, 0x6b, 0xdf);

impl Drawing {
    /// The picture as a PNG, the same bytes for the same drawing; none where there is nothing to
    /// draw.
    pub(crate) fn png(&self) -> Option<Vec<u8>> {
        let mut picture =
            Pixmap::new(u32::from(WIDTH.unsigned_abs()), u32::from(HEIGHT.unsigned_abs()))?;
        let (left, right, floor) =
            (MARGIN, WIDTH.saturating_sub(MARGIN), HEIGHT.saturating_sub(MARGIN));
        let (first, last) = (*self.line.first()?, *self.line.last()?);
        if let Some((top, foot)) = self.band {
            let band = [(left, top), (right, top), (right, foot), (left, foot)];
            fill(&mut picture, &outline(&band)?, &paint(GRAY, 110));
        }
        let area: Vec<_> =
            self.line.iter().copied().chain([(last.0, floor), (first.0, floor)]).collect();
        fill(&mut picture, &outline(&area)?, &paint(self.color, 44));
        stroke(
            &mut picture,
            &outline(&[(left, floor), (right, floor)])?,
            &paint(GRAY, 130),
            &pen(2.0, None),
        );
        stroke(
            &mut picture,
            &outline(&[(last.0, MARGIN), (last.0, floor)])?,
            &paint(GRAY, 150),
            &pen(2.0, Some((3.0, 7.0))),
        );
        for (height, color, dash) in
            [(self.step, VIOLET, Some((18.0, 12.0))), (self.budget, GRAY, None)]
        {
            if let Some(height) = height {
                stroke(
                    &mut picture,
                    &outline(&[(left, height), (right, height)])?,
                    &paint(color, 255),
                    &pen(4.0, dash),
                );
            }
        }
        if let Some(ahead) = self.ahead {
            stroke(
                &mut picture,
                &outline(&[last, ahead])?,
                &paint(self.color, 255),
                &pen(5.0, Some((10.0, 14.0))),
            );
        }
        stroke(&mut picture, &outline(&self.line)?, &paint(self.color, 255), &pen(7.0, None));
        fill(
            &mut picture,
            &PathBuilder::from_circle(last.0.into(), last.1.into(), 11.0)?,
            &paint(self.color, 255),
        );
        palette::png(&picture).ok()
    }
}

fn outline(places: &[Place]) -> Option<Path> {
    let mut path = PathBuilder::new();
    let (first, rest) = places.split_first()?;
    path.move_to(first.0.into(), first.1.into());
    for place in rest {
        path.line_to(place.0.into(), place.1.into());
    }
    path.finish()
}

fn paint(Rgb(red, green, blue): Rgb, alpha: u8) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, alpha);
    paint
}

fn pen(width: f32, dash: Option<(f32, f32)>) -> Stroke {
    let dash = dash.and_then(|(on, off)| StrokeDash::new(vec![on, off], 0.0));
    Stroke { width, dash, line_cap: LineCap::Butt, line_join: LineJoin::Round, ..Stroke::default() }
}

fn fill(picture: &mut Pixmap, path: &Path, paint: &Paint<'_>) {
    picture.fill_path(path, paint, FillRule::Winding, Transform::identity(), None);
}

fn stroke(picture: &mut Pixmap, path: &Path, paint: &Paint<'_>, pen: &Stroke) {
    picture.stroke_path(path, paint, pen, Transform::identity(), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_drawing_is_the_same_small_picture() {
        let line: Vec<_> = (0..41).map(|x| (12 + x * 13, 268 - x * x / 8)).collect();
        let of_period = Drawing {
            color: GRAY,
            line: line.clone(),
            ahead: Some((1108, -900)),
            budget: Some(100),
            step: Some(140),
            band: None,
        };
        // A chart of days has a band, and nothing of a budget.
        let of_days = Drawing {
            color: GRAY,
            line,
            ahead: None,
            budget: None,
            step: None,
            band: Some((150, 170)),
        };
        for drawing in [of_period, of_days] {
            let png = drawing.png().unwrap();
            assert_eq!(drawing.png().unwrap(), png);
            assert!(png.len() < 15_000, "{}", png.len());
        }
    }
}
