package sampler

import (
	"path"
	"strings"

	"plimsoll/collectors/snapshot"
)

const maxFile = 200

// place says in a row where a worker waits: in which function of PHP, called by which, and for which place of the
// site's own code, of which it returns the line. root is the folder that the web server serves.
func place(key *snapshot.ProfileKey, frames []frame, root string) (line int) {
	if len(frames) == 0 {
		return 0
	}
	if frames[0].internal() {
		key.Call = printable(frames[0].function, maxName)
	}
	if len(frames) > 1 {
		key.Via = printable(frames[1].function, maxName)
	}
	f, ok := ownFrame(frames)
	if !ok {
		return 0
	}
	key.Code, key.File = printable(f.function, maxName), printable(below(f.file, root), maxFile)
	key.Package = printable(packageOf(f.file), maxFile)
	return f.line
}

// ownFrame returns the nearest call of code that is no library's, else the nearest of any code.
func ownFrame(frames []frame) (frame, bool) {
	var nearest frame
	for _, f := range frames {
		if f.internal() {
			continue
		}
		if !isLibrary(f) {
			return f, true
		}
		if nearest.file == "" {
			nearest = f
		}
	}
	return nearest, nearest.file != ""
}

// isLibrary reports whether code only does what others ask of it: whoever asked is to be named. Magento's own
// modules lie in vendor too, and are an application.
func isLibrary(f frame) bool {
	file := strings.ReplaceAll(f.file, `\`, "/")
	if i := strings.LastIndex(file, "/vendor/"); i >= 0 {
		parts := strings.SplitN(file[i+len("/vendor/"):], "/", 3)
		return len(parts) < 2 || !strings.HasPrefix(parts[1], "module-")
	}
	if strings.HasPrefix(f.function, "wpdb::") || strings.Contains(file, "/wp-content/db.php") {
		return true
	}
	for _, dir := range []string{"/wp-includes/", "/core/lib/", "/lib/internal/", "/lib/Zend/", "/lib/Varien/", "/libraries/src/", "/system/database/"} {
		if strings.Contains(file, dir) {
			return true
		}
	}
	return false
}

// below returns a file's path below the folder of the application: the one that is served, or the one above
// if only a part of the application is.
func below(file, root string) string {
	root = strings.TrimRight(root, "/")
	if root == "" {
		return file
	}
	if rest, ok := strings.CutPrefix(file, root+"/"); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(file, path.Dir(root)+"/"); ok && path.Dir(root) != "/" {
		return rest
	}
	return file
}

// packageOf returns what a file belongs to, by where applications keep what is added to them.
func packageOf(file string) string {
	parts := strings.Split(strings.ReplaceAll(file, `\`, "/"), "/")
	at := func(i int) string {
		if i < len(parts)-1 { // What comes last is a file.
			return parts[i]
		}
		return ""
	}
	for i := range parts {
		a, b := at(i+1), at(i+2)
		switch {
		case parts[i] == "wp-content" && (a == "plugins" || a == "mu-plugins") && i+2 < len(parts):
			return "plugin/" + strings.TrimSuffix(parts[i+2], ".php") // A plugin may be one file.
		case parts[i] == "wp-content" && a == "themes" && b != "":
			return "theme/" + b
		case parts[i] == "app" && a == "code" && b != "" && at(i+3) != "":
			return magentoModule(b, at(i+3), at(i+4))
		case parts[i] == "vendor" && a != "" && b != "":
			return "vendor/" + a + "/" + b
		case parts[i] == "modules" && (a == "contrib" || a == "custom") && b != "":
			return "module/" + b
		case parts[i] == "modules" && a != "":
			return "module/" + a
		case parts[i] == "themes" && (a == "contrib" || a == "custom") && b != "":
			return "theme/" + b
		}
	}
	return ""
}

// magentoModule names app/code/Vendor/Module, and app/code/{local,community}/Vendor/Module of version 1.
func magentoModule(a, b, c string) string {
	if (a == "local" || a == "community" || a == "core") && c != "" {
		return "module/" + b + "_" + c
	}
	return "module/" + a + "_" + b
}
