//! Writes a picture as a PNG by its colors: a chart has a hundred of them, so that a byte says
//! which one a pixel is, and what is to be packed is a quarter. What is in the picture is decided
//! elsewhere.

use std::collections::HashMap;

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};
use tiny_skia::{Pixmap, PremultipliedColorU8};

/// A picture by the numbers of its colors.
#[derive(Default)]
struct Indexed {
    pixels: Vec<u8>,
    /// Red, green and blue of each color.
    colors: Vec<u8>,
    /// How opaque each color is.
    alphas: Vec<u8>,
    numbers: HashMap<[u8; 4], u8, foldhash::fast::FixedState>,
}

/// The same bytes for the same picture. Written fast rather than small: about 10 kB for a chart, in
/// a thirtieth of the time.
pub(crate) fn png(picture: &Pixmap) -> Result<Vec<u8>, EncodingError> {
    let mut png = Vec::with_capacity(16 * 1024);
    let mut encoder = Encoder::new(&mut png, picture.width(), picture.height());
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Up);
    if let Some(Indexed { pixels, colors, alphas, .. }) = Indexed::of(picture) {
        encoder.set_color(ColorType::Indexed);
        encoder.set_palette(colors);
        encoder.set_trns(alphas);
        encoder.write_header()?.write_image_data(&pixels)?;
    } else {
        encoder.set_color(ColorType::Rgba);
        let pixels: Vec<_> = picture.pixels().iter().flat_map(|pixel| rgba(*pixel)).collect();
        encoder.write_header()?.write_image_data(&pixels)?;
    }
    Ok(png)
}

impl Indexed {
    /// None where a byte cannot tell all colors apart.
    fn of(picture: &Pixmap) -> Option<Self> {
        let width = usize::try_from(picture.width()).ok().filter(|width| *width > 0)?;
        let mut found =
            Self { pixels: Vec::with_capacity(picture.pixels().len()), ..Self::default() };
        let (mut above, mut last): (&[u8], Option<(PremultipliedColorU8, u8)>) = (&[], None);
        let rows = picture.data().chunks_exact(width.saturating_mul(4));
        for (row, pixels) in rows.zip(picture.pixels().chunks_exact(width)) {
            if row == above {
                found.pixels.extend_from_within(found.pixels.len().saturating_sub(width)..);
                continue;
            }
            for pixel in pixels {
                let number = match last.filter(|(color, _)| color == pixel) {
                    Some((_, number)) => number,
                    None => found.number(*pixel)?,
                };
                last = Some((*pixel, number));
                found.pixels.push(number);
            }
            above = row;
        }
        Some(found)
    }

    /// The number of a color; none where there are too many.
    fn number(&mut self, pixel: PremultipliedColorU8) -> Option<u8> {
        if let Some(number) = self.numbers.get(&bytes(pixel)) {
            return Some(*number);
        }
        let number = u8::try_from(self.alphas.len()).ok()?;
        let [red, green, blue, alpha] = rgba(pixel);
        self.colors.extend([red, green, blue]);
        self.alphas.push(alpha);
        self.numbers.insert(bytes(pixel), number);
        Some(number)
    }
}

fn bytes(pixel: PremultipliedColorU8) -> [u8; 4] {
    [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()]
}

/// A color as PNG has it, its red, green and blue apart from how opaque it is.
fn rgba(pixel: PremultipliedColorU8) -> [u8; 4] {
    let color = pixel.demultiply();
    [color.red(), color.green(), color.blue(), color.alpha()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixels of a picture as a reader sees them.
    fn read(png: &[u8]) -> (ColorType, Vec<u8>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        let color = decoder.read_header_info().unwrap().color_type;
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        (color, pixels)
    }

    #[test]
    fn a_picture_of_few_colors_and_one_of_many_are_read_as_they_were() {
        for (colors, written) in [(200_u32, ColorType::Indexed), (300, ColorType::Rgba)] {
            let mut picture = Pixmap::new(32, 16).unwrap();
            for (number, pixel) in (0..).zip(picture.pixels_mut()) {
                let [low, high, ..] = (number % colors).to_le_bytes();
                *pixel = PremultipliedColorU8::from_rgba(low, high, 0, 255).unwrap();
            }
            let expected = picture.pixels().iter().flat_map(|pixel| rgba(*pixel)).collect();
            assert!(read(&png(&picture).unwrap()) == (written, expected), "{colors} colors");
        }
    }
}
