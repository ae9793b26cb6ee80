#include "dataset/vaccines.h"

const Vaccine dataset_vaccines[VACCINE_COUNT] = {
    {"BCG", "Bacillus Calmette-Guerin", "birth dose", "BCG", 20, 2, 8, 24, 180, 40},
    {"HEPB", "Hepatitis B birth dose", "birth dose", "HEB", 10, 2, 8, 36, 120, 80},
    {"BOPV", "Bivalent oral polio", "polio", "OPV", 20, -25, -15, 24, 440, 8},
    {"IPV", "Inactivated polio", "polio", "IPV", 10, 2, 8, 36, 220, 30},
    {"PENTA", "Pentavalent DTP-HepB-Hib", "infant", "PEN", 10, 2, 8, 36, 330, 50},
    {"PCV", "Pneumococcal conjugate", "infant", "PCV", 4, 2, 8, 36, 330, 60},
    {"ROTA", "Rotavirus", "infant", "ROT", 1, 2, 8, 24, 320, 24},
    {"MR", "Measles-rubella", "infant", "MRV", 10, 2, 8, 24, 260, 24},
    {"YF", "Yellow fever", "infant", "YEL", 10, 2, 8, 36, 140, 24},
    {"MENA", "Meningococcal A conjugate", "infant", "MEN", 10, 2, 8, 24, 140, 60},
    {"HPV", "Human papillomavirus", "adolescent", "HPV", 1, 2, 8, 36, 60, 80},
    {"TD", "Tetanus-diphtheria", "maternal", "TDV", 10, 2, 8, 36, 220, 80},
};
