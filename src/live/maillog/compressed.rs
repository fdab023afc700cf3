//! Compressed logs, known by their first bytes: gzip, xz and zstd, as logrotate(8) makes them.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What a compressed file holds, whatever it is called; other files as they are.
pub(super) fn decoded(mut raw: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut magic = [0; 6];
    let mut length = 0;
    while length < magic.len() {
        match raw.read(&mut magic[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let magic = magic[..length].to_vec();
    let kind = Kind::of(&magic);
    let whole = io::Cursor::new(magic).chain(raw);
    Ok(match kind {
        Kind::Plain => Box::new(whole),
        Kind::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(whole))),
        Kind::Xz => Box::new(lzma_rust2::XzReader::new(BufReader::new(whole), true)),
        Kind::Zstd => Box::new(Zstd {
            source: BufReader::new(whole),
            decoder: FrameDecoder::new(),
            is_in_frame: false,
        }),
    })
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Gzip,
    Xz,
    Zstd,
}

impl Kind {
    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// The frames of a zstd file, one after the other.
struct Zstd<R: Read> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: Read> Zstd<R> {
    /// Starts the next frame; false at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.source.by_ref().take(u64::from(length));
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.is_in_frame && !self.decoder.is_finished() {
                let strategy = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder
                    .decode_blocks(&mut self.source, strategy)
                    .map_err(io::Error::other)?;
                continue;
            }
            self.is_in_frame = self.next_frame()?;
            if !self.is_in_frame {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell() {
        for (magic, kind) in [
            (&b"\x1f\x8b\x08\0\0\0"[..], Kind::Gzip),
            (b"\xfd7zXZ\0", Kind::Xz),
            (b"\x28\xb5\x2f\xfd\0\0", Kind::Zstd),
            (b"Nov  4", Kind::Plain),
            (b"", Kind::Plain),
        ] {
            assert_eq!(Kind::of(magic), kind);
        }
    }
}
