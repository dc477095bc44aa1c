import Foundation
import TestSupport
import Testing

/// Stepping environments allocates nothing: `malloc` is counted from outside, by a library that is loaded before glibc's.
@Suite struct AllocationTests {
    private static let counter = """
        #define _GNU_SOURCE
        #include <stdatomic.h>
        #include <stddef.h>
        #include <stdio.h>
        extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
            *__libc_memalign(size_t, size_t);
        static atomic_long n;
        void *malloc(size_t s) { n++; return __libc_malloc(s); }
        void *calloc(size_t a, size_t b) { n++; return __libc_calloc(a, b); }
        void *realloc(void *p, size_t s) { n++; return __libc_realloc(p, s); }
        void *aligned_alloc(size_t a, size_t s) { n++; return __libc_memalign(a, s); }
        int posix_memalign(void **p, size_t a, size_t s) { n++; return (*p = __libc_memalign(a, s)) ? 0 : 12; }
        __attribute__((destructor)) static void say(void) { fprintf(stderr, "allocations %ld", (long)n); }
        """

    @Test func steppingAllocatesNothing() throws {
        let directory = try TemporaryDirectory()
        try Data(Self.counter.utf8).write(to: directory.file("counter.c"))
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // Swift's toolchain brings it.
        compiler.arguments = ["clang", "-O1", "-shared", "-fPIC", "-o", "counter.so", "counter.c"]
        compiler.currentDirectoryURL = directory.url
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        func allocations(_ name: String, seconds: String) throws -> Int {
            let output = try PeoTool.run(
                ["bench", "environments", name, "--seconds", seconds], in: directory,
                environment: ["LD_PRELOAD": directory.file("counter.so").path])
            let count = output.stderr.firstMatch(of: /allocations (\d+)/).flatMap { Int($0.1) }
            return try #require(count, "\(output.all)")
        }
        for name in [
            "CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1",
            "NChain",
        ] {
            // At least 64 calls more for each of five rounds; one allocation a call would show as hundreds.
            let few = try allocations(name, seconds: "0.001")
            let many = try allocations(name, seconds: "0.1")
            #expect(abs(many - few) < 50, "\(name): \(few) allocations, \(many) in a longer run")
        }
    }
}
