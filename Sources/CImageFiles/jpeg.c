#include "CImageFiles.h"

#include <stdio.h>
// jpeglib.h needs FILE.
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf out;
  char *message;
} error_manager;

static void leave(j_common_ptr info) {
  error_manager *errors = (error_manager *)info->err;
  char text[JMSG_LENGTH_MAX];
  errors->base.format_message(info, text);
  snprintf(errors->message, PIF_MESSAGE_SIZE, "%s", text);
  longjmp(errors->out, 1);
}

// Negative levels are warnings of damage, which libjpeg would patch with grey. It is an error here.
static void refuse_damage(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}

static void say_nothing(j_common_ptr info) { (void)info; }

int32_t pif_read_jpeg(const void *bytes, size_t count, size_t limit, pif_image *out, char *message) {
  *out = (pif_image){0};
  struct jpeg_decompress_struct info;
  error_manager errors;
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  errors.base.emit_message = refuse_damage;
  errors.base.output_message = say_nothing;
  errors.message = message;
  // Kept in `out`, which longjmp does not touch.
  if (setjmp(errors.out)) {
    jpeg_destroy_decompress(&info);
    pif_release(out);
    return 1;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  const size_t width = info.image_width, height = info.image_height;
  if (width == 0 || height == 0 || width > limit / height) {
    jpeg_destroy_decompress(&info);
    snprintf(message, PIF_MESSAGE_SIZE, "it has %zu x %zu pixels; allowed: 1 to %zu", width, height, limit);
    return 1;
  }
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  out->pixels = malloc(width * height * 3);
  if (!out->pixels) {
    jpeg_destroy_decompress(&info);
    snprintf(message, PIF_MESSAGE_SIZE, "there is no memory for %zu x %zu pixels", width, height);
    return 1;
  }
  out->width = width;
  out->height = height;
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = out->pixels + (size_t)info.output_scanline * width * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return 0;
}
