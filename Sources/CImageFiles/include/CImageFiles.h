// PNG and JPEG files in memory to bytes of red, green and blue. In C, since libjpeg reports errors by longjmp.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct {
  size_t width, height;
  uint8_t *_Nullable pixels;  // width * height * 3 bytes, row by row; release with pif_release
} pif_image;

enum { PIF_MESSAGE_SIZE = 256 };

/// Reads a PNG file; what is transparent is put on black. At most `limit` pixels.
/// Returns 0, or another number with the reason in `message`, which has PIF_MESSAGE_SIZE bytes.
int32_t pif_read_png(const void *bytes, size_t count, size_t limit, pif_image *out, char *message);

/// Reads a JPEG file in shades of grey, YCbCr or RGB, likewise. A damaged file that libjpeg could patch is refused too.
int32_t pif_read_jpeg(const void *bytes, size_t count, size_t limit, pif_image *out, char *message);

void pif_release(pif_image *image);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
