import Foundation
import TestSupport

/// Looks at reports in headless Chromium.
enum ReportBrowser {
    /// What a page showed at one width.
    struct View: Decodable {
        var file: String
        var width: Int
        /// Errors, messages on the console, and requests for other files.
        var said: [String]
        /// What is wrong: clipped or overflowing text, charts without anything drawn, colours that do not fit.
        var faults: [String]
        var charts: Int
        var tables: Int
        /// The text that readers see.
        var text: String
    }

    /// Opens each file at 390 and 1280 pixels, in light and dark colours and as on paper, sorts its tables and uses its
    /// legends.
    ///
    /// - Throws: where there is no Chromium and none can be installed; the message says how to get it.
    static func look(at files: [URL]) throws -> [View] {
        let output = try ParityPython.run(
            script, [ParityPython.root.appendingPathComponent("scripts/chromium").path] + files.map(\.path),
            with: "browser")
        return try JSONDecoder().decode([View].self, from: Data(output.utf8))
    }

    private static let script = #"""
        import json, subprocess, sys
        from playwright.sync_api import sync_playwright

        found = subprocess.run([sys.argv[1]], capture_output=True, text=True)
        if found.returncode:
            sys.exit("no Chromium to look at reports with:\n" + found.stderr)

        LAYOUT = '''() => {
          const faults = [], width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth > width) faults.push(`the page is ${document.documentElement.scrollWidth} wide`);
          for (const element of document.body.querySelectorAll('*')) {
            if (element.closest('svg') || element.closest('.modebar-container')) continue;
            const box = element.getBoundingClientRect();
            if (box.width && (box.right > width + 0.5 || box.left < -0.5))
              faults.push(`${element.tagName}.${element.className} reaches from ${box.left} to ${box.right}`);
            if (element.clientWidth && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== 'visible')
              faults.push(`${element.tagName}.${element.className} is clipped`);
          }
          for (const plot of document.querySelectorAll('.plot')) {
            const name = plot.getAttribute('aria-label'), box = plot.getBoundingClientRect();
            if (!plot.querySelector('svg.main-svg')) faults.push(`${name} has no svg`);
            if (!plot.querySelector('.trace path, .bars .point path, .contour path, .scatterlayer path')) faults.push(`${name} has no traces`);
            for (const text of plot.querySelectorAll('svg text')) {
              const own = text.getBoundingClientRect();
              if (own.width && (own.left < box.left - 0.5 || own.right > box.right + 0.5 || own.top < box.top - 0.5 || own.bottom > box.bottom + 0.5))
                faults.push(`'${text.textContent}' leaves ${name}`);
            }
          }
          return faults;
        }'''
        # Text must stand out from the page, in the charts too: WCAG's contrast of 4.5 at least.
        COLOURS = '''isDark => {
          const faults = [];
          const parts = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const light = text => parts(text).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const page = getComputedStyle(document.body).backgroundColor;
          if (light(page) < 0.1 !== isDark) faults.push(`the page is ${page}`);
          const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          for (const element of document.querySelectorAll('h1, p, dt, dd, th, td, td span, figcaption, a, .tools button[aria-pressed=true], .plot svg text')) {
            const style = getComputedStyle(element), colour = element.closest('svg') ? style.fill : style.color;
            const ground = element.closest('.figures div, .callout, pre') ? getComputedStyle(element.closest('.figures div, .callout, pre')).backgroundColor : page;
            if (contrast(light(colour), light(ground)) < 4.5) faults.push(`'${element.textContent.slice(0, 30)}' is ${colour} on ${ground}`);
          }
          return faults;
        }'''
        SORT = '''() => [...document.querySelectorAll('main table')].flatMap(table => [...table.querySelectorAll('th')].flatMap((head, column) => {
          const rows = table.tBodies[0].rows, known = row => row.cells[column].dataset.value;
          for (const order of ['ascending', 'descending']) {
            head.querySelector('button').click();
            if (head.getAttribute('aria-sort') !== order) return [`${head.textContent} is not ${order}`];
            const values = [...rows].map(known).filter(value => value !== undefined).map(Number);
            for (let i = 1; i < values.length; i++)
              if (order === 'ascending' ? values[i] < values[i - 1] : values[i] > values[i - 1]) return [`${head.textContent} is out of order: ${values}`];
          }
          return [];
        }))'''
        LEGEND = '''async () => {
          const button = [...document.querySelectorAll('.tools button')].find(button => button.querySelector('svg'));
          if (!button) return [];
          const plot = button.closest('figure').querySelector('.plot'), shown = () => plot.querySelectorAll('.scatterlayer .trace, .bars .point').length;
          const before = shown();
          button.click();
          await new Promise(done => setTimeout(done, 50));
          const during = shown();
          plot.closest('figure').querySelector('.tools button').click();
          await new Promise(done => setTimeout(done, 50));
          return during < before && shown() === before ? [] : [`the legend shows ${before}, ${during}, ${shown()} traces`];
        }'''
        views = []
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=found.stdout.strip(), args=["--no-sandbox"])
            for file in sys.argv[2:]:
                for width in (390, 1280):
                    said, faults = [], []
                    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
                    page.on("console", lambda message: said.append(message.text))
                    page.on("pageerror", lambda error: said.append(str(error)))
                    page.on("dialog", lambda dialog: (said.append("dialog " + dialog.message), dialog.dismiss()))
                    page.on("request", lambda asked: said.append("asks for " + asked.url) if not asked.url.startswith(("file:", "data:", "blob:")) else None)
                    page.goto("file://" + file)
                    page.wait_for_selector("html[data-drawn]", timeout=30000)
                    faults += page.evaluate(LAYOUT) + page.evaluate(COLOURS, False)
                    page.emulate_media(color_scheme="dark")
                    page.wait_for_timeout(300)
                    faults += page.evaluate(COLOURS, True)
                    faults += page.evaluate(SORT) + page.evaluate(LEGEND)
                    if width == 1280:
                        if len(page.pdf()) < 1000: faults.append("it cannot be printed")
                        page.set_viewport_size({"width": 718, "height": 1000})
                        page.emulate_media(media="print", color_scheme="dark")
                        page.evaluate("dispatchEvent(new Event('beforeprint'))")
                        page.wait_for_timeout(300)
                        faults += [f"on paper: {fault}" for fault in page.evaluate(LAYOUT) + page.evaluate(COLOURS, False)]
                    views.append({"file": file, "width": width, "said": said, "faults": faults, "text": page.inner_text("body"),
                        "charts": page.locator(".plot").count(), "tables": page.locator("table").count()})
                    page.close()
            browser.close()
        print(json.dumps(views))
        """#
}
