#include "bridge.h"

#include <ATen/ops/scaled_dot_product_attention.h>

ptb_status ptb_attention(ptb_tensor *query, ptb_tensor *key, ptb_tensor *value, ptb_tensor *mask, bool causal,
                         PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    return at::scaled_dot_product_attention(query->value, key->value, value->value, bridge::optional(mask),
                                            /*dropout_p=*/0, causal);
  });
}
