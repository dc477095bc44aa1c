import Foundation

/// Small GPT-2s with random weights, as `transformers` saves them.
package enum TinyGPT2 {
    /// Makes a directory with one of 2 layers, 2 heads and width 8, for 16 tokens of 23 (token 0 ends a text).
    ///
    /// - Parameters:
    ///   - settings: Python's arguments of `GPT2Config`, besides those sizes.
    ///   - saving: Python that saves `model` in `folder`.
    ///   - then: Python that goes on with `folder` and `model`, in float32; its file `folder + "/expected"` is for the test.
    package static func make(
        at url: URL, _ settings: String = "", saving: String = "model.save_pretrained(folder)",
        then: String = ""
    ) throws {
        _ = try HuggingFacePython.run(
            """
            import sys, os, torch, torch.nn.functional as F
            from safetensors.torch import save_file, load_file
            from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel
            torch.manual_seed(7)
            folder = sys.argv[1]
            sizes = dict(vocab_size=23, n_positions=16, n_embd=8, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
            model = GPT2LMHeadModel(GPT2Config(**(sizes | dict(\(settings))))).eval()
            # As large as trained ones, so that no part hides behind the residual sum.
            for p in model.parameters(): torch.nn.init.normal_(p, 0, 0.4)
            \(saving)
            \(then)
            """, url.path)
    }
}
