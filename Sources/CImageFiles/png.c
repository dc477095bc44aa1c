#include "CImageFiles.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int32_t pif_read_png(const void *bytes, size_t count, size_t limit, pif_image *out, char *message) {
  *out = (pif_image){0};
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes, count)) {
    snprintf(message, PIF_MESSAGE_SIZE, "%s", image.message);
    return 1;
  }
  image.format = PNG_FORMAT_RGB;
  const size_t width = image.width, height = image.height;
  if (width == 0 || height == 0 || width > limit / height) {
    png_image_free(&image);
    snprintf(message, PIF_MESSAGE_SIZE, "it has %zu x %zu pixels; allowed: 1 to %zu", width, height, limit);
    return 1;
  }
  uint8_t *pixels = malloc(width * height * 3);
  if (!pixels) {
    png_image_free(&image);
    snprintf(message, PIF_MESSAGE_SIZE, "there is no memory for %zu x %zu pixels", width, height);
    return 1;
  }
  const png_color black = {0, 0, 0};
  if (!png_image_finish_read(&image, &black, pixels, 0, NULL)) {
    free(pixels);
    snprintf(message, PIF_MESSAGE_SIZE, "%s", image.message);
    return 1;
  }
  *out = (pif_image){width, height, pixels};
  return 0;
}

void pif_release(pif_image *image) {
  free(image->pixels);
  image->pixels = NULL;
}
