package sampler

// layout is where things stand in the memory of one release of PHP. What all releases from 8.1 to 8.5 have in
// common are constants beside their use. All are of 64 bits, the same on amd64 and arm64, as none holds a type
// whose size differs between the two.
//
// Sources: Zend/zend_globals.h, zend_compile.h, zend_types.h and main/fastcgi.c of each release; those of a
// release that is not tested are counted from its headers.
type layout struct {
	minor string
	// frame is where executor_globals has current_execute_data, file where a zend_op_array has its filename.
	frame, file uint64
}

// layoutOf returns the layout of a release by its API number, ZEND_MODULE_API_NO.
func layoutOf(api uint32) (layout, bool) {
	switch api {
	case 20210902:
		return layout{"8.1", 488, 144}, true
	case 20220829:
		return layout{"8.2", 488, 152}, true
	case 20230831:
		return layout{"8.3", 488, 144}, true
	case 20240924:
		return layout{"8.4", 488, 168}, true
	case 20250925:
		return layout{"8.5", 512, 168}, true
	}
	return layout{}, false
}

// tested reports whether a test of this package reads a running PHP of this layout.
func (l layout) tested(arch string) bool {
	return arch == "amd64" && (l.minor == "8.2" || l.minor == "8.4")
}
