package popup

// What Unicode CLDR 48.2 (https://github.com/unicode-org/cldr-json, cldr-core) knows of
// languages, as far as the choice of a translation needs it.
//
// Copyright © 1991-2026 Unicode, Inc. SPDX-License-Identifier: Unicode-3.0
// (https://www.unicode.org/license.txt)

// languagesByScript has the languages that CLDR has a locale for and those of two letters,
// each under the script that it is written in unless a tag says otherwise.
var languagesByScript = []struct{ script, languages string }{
	{"Arab", "apc ar bal bgn bqi ckb fa ks lrc mzn ps sd sdh skr trw ug ur"},
	{"Armn", "hy"},
	{"Avst", "ae"},
	{"Beng", "as bn mni"},
	{"Cakm", "ccp"},
	{"Cans", "cr csw iu oj"},
	{"Cher", "chr"},
	{"Copt", "cop"},
	{"Cyrl", "ab av ba be bg bua ce cu cv kaa kk kv ky mdf mk mn myv os ru sah sr tg tt tyv uk"},
	{"Deva", "bgc bho brx doi hi kok mai mr ne raj sa suz xnr"},
	{"Ethi", "am byn gez ti tig wal"},
	{"Geor", "ka"},
	{"Grek", "el"},
	{"Gujr", "gu"},
	{"Guru", "pa"},
	{"Hans", "zh"},
	{"Hant", "yue"},
	{"Hebr", "he yi"},
	{"Hmnp", "hnj mww"},
	{"Jpan", "ja"},
	{"Khmr", "km"},
	{"Knda", "kn"},
	{"Kore", "ko"},
	{"Laoo", "lo"},
	{"Latn", "aa af agq ak an ann arn asa ast ay az bas bem bew bez bi blo bm br bs bss ca cad cch ceb cgg ch cho cic co cs cy da " +
		"dav de dje dsb dua dyo ebu ee en eo es et eu ewo ff fi fil fj fo fr frr fur fy ga gaa gd gl gn gsw guz gv ha haw ho hr " +
		"hsb ht hu hz ia id ie ig ik io is it jbo jgo jmc jv kab kaj kam kcg kde kea kek ken kg kgp khq ki kj kkj kl kln kpe kr " +
		"ksb ksf ksh ku kw kxv la lag lb lg li lij lkt lld lmo ln lt ltg lu luo luy lv lzz mas mer mfe mg mgh mgo mh mhn mi mic " +
		"moh ms mt mua mus na naq nb nd nds ng nl nmg nn nnh no nr nso nus nv ny nyn oc oka om pap pcm pi pis pl pms prg pt qu " +
		"quc rif rm rn ro rof rw rwk saq sbp sc scn se seh ses sg sgs sid sk sl sm sma smj smn sms sn so sq ss ssy st su sv sw " +
		"szl teo tk tn to tok tpi tr trv ts twq ty tzm uz ve vec vi vmw vo vun wa wae wbp wo xh xog yav yo yrl za zu"},
	{"Mlym", "ml"},
	{"Mymr", "my shn"},
	{"Nkoo", "nqo"},
	{"Olck", "sat"},
	{"Orya", "or"},
	{"Osge", "osa"},
	{"Rohg", "rhg"},
	{"Sinh", "si"},
	{"Syrc", "syr"},
	{"Taml", "ta"},
	{"Tavt", "blt"},
	{"Telu", "te"},
	{"Tfng", "shi zgh"},
	{"Thaa", "dv"},
	{"Thai", "th"},
	{"Tibt", "bo dz"},
	{"Vaii", "vai"},
	{"Yiii", "ii"},
}

// scriptsByRegion has where a language is written in another script than that.
var scriptsByRegion = []struct{ language, script, regions string }{
	{"az", "Arab", "IQ IR"},
	{"az", "Cyrl", "RU"},
	{"ha", "Arab", "CM SD"},
	{"kk", "Arab", "AF CN IR MN"},
	{"ku", "Arab", "IQ IR LB"},
	{"ku", "Cyrl", "AM AZ GE TM"},
	{"ky", "Arab", "CN"},
	{"ky", "Latn", "TR"},
	{"lzz", "Geor", "GE"},
	{"mn", "Mong", "CN"},
	{"ms", "Arab", "CC"},
	{"pa", "Arab", "PK"},
	{"pi", "Deva", "IN"},
	{"pi", "Mymr", "MM"},
	{"pi", "Sinh", "LK"},
	{"pi", "Thai", "TH"},
	{"sd", "Deva", "IN"},
	{"sr", "Latn", "ME RO TR"},
	{"tg", "Arab", "PK"},
	{"ug", "Cyrl", "KZ MN"},
	{"uz", "Arab", "AF"},
	{"uz", "Cyrl", "CN"},
	{"yue", "Hans", "CN"},
	{"zh", "Hant", "AU BN GB GF HK ID MO PA PF PH SR TH TW US VN"},
}

// parentsOfRegions has the parents of a language in a region that are not the language itself.
var parentsOfRegions = []struct{ parent, language, regions string }{
	{"en-001", "en", "150 AG AI AU BB BM BS BW BZ CC CK CM CX CY DG DM ER FJ FK FM GB GD GG GH GI GM GS GY HK ID IE IL IM IN IO " +
		"JE JM KE KI KN KY LC LR LS MG MO MS MT MU MV MW MY NA NF NG NR NU NZ PG PK PN PW RW SB SC SD SG SH SL SS SX SZ TC TK TO " +
		"TT TV TZ UG VC VG VU WS ZA ZM ZW"},
	{"en-150", "en", "AT BE CH CZ DE DK EE ES FI FR GE HU IT LT LV NL NO PL PT RO SE SI SK UA"},
	{"es-419", "es", "AR BO BR BZ CL CO CR CU DO EC GT HN JP MX NI PA PE PR PY SV US UY VE"},
	{"pt-PT", "pt", "AO CH CV FR GQ GW LU MO MZ ST TL"},
	{"zh-Hant-HK", "zh-Hant", "MO"},
}

// parentsOfLanguages has the languages whose parent is another one.
var parentsOfLanguages = []struct{ language, parent string }{
	{"hi-Latn", "en-IN"},
	{"ht", "fr-HT"},
	{"nn", "no"},
}

// languageAliases has other names of languages that requests come with: deprecated ones,
// of macrolanguages, and Bokmål, which is what Norwegian is written in.
var languageAliases = []struct{ alias, language string }{
	{"cmn", "zh"},
	{"in", "id"},
	{"iw", "he"},
	{"ji", "yi"},
	{"jw", "jv"},
	{"mo", "ro"},
	{"nb", "no"},
	{"sh", "sr-Latn"},
	{"tl", "fil"},
}

const (
	knownScripts = "Adlm Aghb Ahom Arab Armi Armn Avst Bali Bamu Bass Batk Beng Berf Bhks Bopo Brah Brai Bugi Buhd Cakm Cans Cari Cham " +
		"Cher Chrs Copt Cpmn Cprt Cyrl Deva Diak Dogr Dsrt Dupl Egyp Elba Elym Ethi Gara Geor Glag Gong Gonm Goth Gran Grek " +
		"Gujr Gukh Guru Hanb Hang Hani Hano Hans Hant Hatr Hebr Hira Hluw Hmng Hmnp Hung Ital Jamo Java Jpan Kali Kana Kawi " +
		"Khar Khmr Khoj Kits Knda Kore Krai Kthi Lana Laoo Latf Latg Latn Lepc Limb Lina Linb Lisu Lyci Lydi Mahj Maka Mand " +
		"Mani Marc Medf Mend Merc Mero Mlym Modi Mong Mroo Mtei Mult Mymr Nagm Nand Narb Nbat Newa Nkoo Ogam Olck Onao Orkh " +
		"Orya Osge Osma Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr Samr Sarb Saur Sgnw Shaw Shrd Sidd " +
		"Sidt Sind Sinh Sogd Sogo Sora Soyo Sund Sunu Sylo Syrc Tagb Takr Tale Talu Taml Tang Tavt Tayo Telu Tfng Tglg Thaa " +
		"Thai Tibt Tirh Tnsa Todr Tols Toto Tutg Ugar Vaii Vith Wara Wcho Xpeo Xsux Yezi Yiii Zanb"
	knownRegions = "001 150 419 AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY " +
		"BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DG DJ DK DM DO DZ EA EC EE EG EH ER ES ET FI FJ FK FM " +
		"FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM " +
		"JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR " +
		"MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS " +
		"RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
		"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
