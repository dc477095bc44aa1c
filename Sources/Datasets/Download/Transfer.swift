import Foundation
import Safetensors

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One attempt to fetch one file: asks for what is missing and appends it to a ``PartialFile``.
///
/// The delegate's calls come one at a time on the session's own queue, and ``run()`` waits for the last.
final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    /// Why an attempt failed, and whether another one may do better.
    struct Failure: Error {
        var message: String
        var isTemporary: Bool
    }

    private let file: RemoteFile
    private let address: URL
    private let part: PartialFile
    private let timeout: Double
    private let progress: @Sendable (DownloadProgress) -> Void
    private let done = DispatchSemaphore(value: 0)
    private var failure: (any Error)?

    init(
        file: RemoteFile, address: URL, part: PartialFile, timeout: Double,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) {
        self.file = file
        self.address = address
        self.part = part
        self.timeout = timeout
        self.progress = progress
    }

    /// Fetches what is missing.
    ///
    /// - Throws: ``Failure``, or `FileError` if the disk does not take the bytes.
    func run() throws {
        if part.count > file.byteCount { try part.restart(validator: nil) }
        if part.count == file.byteCount { return }
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = timeout
        configuration.urlCache = nil
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        var request = URLRequest(url: address)
        // A server must not compress again what we compare byte for byte and resume by position.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if part.count > 0, let validator = part.validator {
            request.setValue("bytes=\(part.count)-", forHTTPHeaderField: "Range")
            request.setValue(validator, forHTTPHeaderField: "If-Range")
        }
        session.dataTask(with: request).resume()
        done.wait()
        if let failure { throw failure }
        guard part.count == file.byteCount else {
            throw Failure(
                message: "the connection ended after \(part.count) of \(file.byteCount) bytes",
                isTemporary: true)
        }
    }

    func urlSession(
        _: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        do {
            try begin(response)
            completionHandler(.allow)
        } catch {
            failure = error
            completionHandler(.cancel)
        }
    }

    /// Decides by the answer's head whether its body goes on where the part ends or starts anew.
    private func begin(_ response: URLResponse) throws {
        guard let response = response as? HTTPURLResponse else {
            throw Failure(message: "the answer is not HTTP", isTemporary: false)
        }
        switch response.statusCode {
        case 200:
            try part.restart(validator: Self.validator(of: response))
        case 206:
            let range = response.value(forHTTPHeaderField: "Content-Range") ?? "none"
            guard range.hasPrefix("bytes \(part.count)-") else {
                try part.restart(validator: nil)
                throw Failure(
                    message: "the server sent the range '\(range)', which was not asked for",
                    isTemporary: true)
            }
        case 416:
            try part.restart(validator: nil)
            throw Failure(message: "the server has not the range asked for (HTTP 416)", isTemporary: true)
        case let status:
            let text = HTTPURLResponse.localizedString(forStatusCode: status)
            throw Failure(
                message: "HTTP \(status) (\(text))",
                isTemporary: status >= 500 || status == 429 || status == 408)
        }
    }

    func urlSession(_: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard failure == nil else { return }
        do {
            guard data.count <= file.byteCount - part.count else {
                try part.restart(validator: nil)
                throw DatasetError(
                    .checksum,
                    "\(address) gives more than the \(file.byteCount) bytes that the file has; it was not kept"
                )
            }
            try part.append(data)
            progress(DownloadProgress(address: address, received: part.count, total: file.byteCount))
        } catch {
            failure = error
            dataTask.cancel()
        }
    }

    func urlSession(_: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if failure == nil, let error {
            let code = (error as? URLError)?.code
            let isPermanent =
                code == .cannotFindHost || code == .cannotConnectToHost || code == .notConnectedToInternet
                || code == .unsupportedURL || code == .badURL
            failure = Failure(message: error.localizedDescription, isTemporary: !isPermanent)
        }
        done.signal()
    }

    /// What identifies the version of the file that is being sent, if it may be used with `If-Range`.
    private static func validator(of response: HTTPURLResponse) -> String? {
        if let tag = response.value(forHTTPHeaderField: "ETag"), !tag.hasPrefix("W/") { return tag }
        return response.value(forHTTPHeaderField: "Last-Modified")
    }
}
